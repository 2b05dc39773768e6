# Build rules that every folder shares.
option(GODWIT_WERROR "treat warnings as errors" ON)
option(GODWIT_BENCH "build the benchmarks" OFF)
option(GODWIT_FUZZ "build libFuzzer targets (clang only)" OFF)
set(GODWIT_SANITIZE "" CACHE STRING "sanitizers to build with, e.g. address,undefined")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(godwit_flags INTERFACE)
target_compile_options(godwit_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -ffp-contract=off
  # GCC 12 calls the undefined-by-design operands inside its own AVX-512 headers uninitialised.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  $<$<BOOL:${GODWIT_WERROR}>:-Werror>)
if(GODWIT_SANITIZE)
  target_compile_options(godwit_flags INTERFACE
    -fsanitize=${GODWIT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(godwit_flags INTERFACE -fsanitize=${GODWIT_SANITIZE})
endif()
if(GODWIT_FUZZ)  # coverage counters in every library; only the fuzz programs get libFuzzer's main()
  target_compile_options(godwit_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(godwit_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# godwit_library(name [INTERNAL] SOURCES a.cc... HEADERS a.h... [PUBLIC dep...] [PRIVATE dep...])
# One static library per folder, alias godwit::name; each header must compile alone. INTERNAL: for
# the project's own programs, not installed.
function(godwit_library name)
  cmake_parse_arguments(LIB "INTERNAL" "" "SOURCES;HEADERS;PUBLIC;PRIVATE" ${ARGN})
  add_library(godwit_${name} STATIC ${LIB_SOURCES})
  add_library(godwit::${name} ALIAS godwit_${name})
  set_target_properties(godwit_${name} PROPERTIES EXPORT_NAME ${name}
                        VERIFY_INTERFACE_HEADER_SETS ON)
  target_sources(godwit_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}
                 FILES ${LIB_HEADERS})
  target_link_libraries(godwit_${name} PUBLIC ${LIB_PUBLIC}
                        PRIVATE ${LIB_PRIVATE} $<BUILD_INTERFACE:godwit_flags>)
  if(NOT LIB_INTERNAL)
    set_property(GLOBAL APPEND PROPERTY GODWIT_LIBRARIES godwit_${name})
  endif()
endfunction()
