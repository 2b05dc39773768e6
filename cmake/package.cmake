# What `cmake --install` puts where, and how an installed Godwit is found: the CMake package
# (find_package(godwit), targets godwit::<lib>) and godwit.pc. Included last, when all targets exist.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/godwit)
get_property(libraries GLOBAL PROPERTY GODWIT_LIBRARIES)

install(TARGETS ${libraries} EXPORT godwit-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/godwit)
install(EXPORT godwit-targets NAMESPACE godwit:: DESTINATION ${package_dir})
if(TARGET godwit)
  install(TARGETS godwit RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY models/weights/ DESTINATION ${CMAKE_INSTALL_DATADIR}/godwit/models
        FILES_MATCHING PATTERN "*.safetensors" PATTERN "*.md")
install(FILES LICENSE NOTICE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Man pages are written in scdoc: docs/man/godwit.1.scd becomes share/man/man1/godwit.1.
file(GLOB man_sources CONFIGURE_DEPENDS docs/man/*.scd)
find_program(GODWIT_SCDOC scdoc)
if(man_sources AND GODWIT_SCDOC)
  foreach(source ${man_sources})
    get_filename_component(page ${source} NAME_WLE)
    string(REGEX MATCH "[0-9]$" section ${page})
    add_custom_command(OUTPUT man/${page} DEPENDS ${source} VERBATIM
                       COMMAND ${CMAKE_COMMAND} -E make_directory man
                       COMMAND ${GODWIT_SCDOC} < ${source} > man/${page})
    list(APPEND man_pages man/${page})
    install(FILES ${PROJECT_BINARY_DIR}/man/${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
  endforeach()
  add_custom_target(godwit_man ALL DEPENDS ${man_pages})
elseif(man_sources)
  message(STATUS "scdoc not found: the man pages are left out")
endif()
if(EXISTS ${PROJECT_SOURCE_DIR}/apps/completions/godwit.bash)
  install(FILES apps/completions/godwit.bash RENAME godwit
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()

# The libraries are static, so whoever links them needs what they link: one line for each
# dependency, as `target | arguments of find_dependency() | pkg-config modules | linker flags`.
# Targets made by pkg_check_modules() give the modules only.
set(GODWIT_DEPENDENCIES
    "OpenMP::OpenMP_CXX|OpenMP COMPONENTS CXX||-fopenmp"
    "Threads::Threads|Threads||-pthread"
    "JPEG::JPEG|JPEG|libjpeg|"
    "PNG::PNG|PNG|libpng|"
    "ZLIB::ZLIB|ZLIB|zlib|"
    "PkgConfig::GODWIT_SNDFILE||sndfile|"
    "PkgConfig::GODWIT_SOXR||soxr|"
    "PkgConfig::GODWIT_WEBP||libwebp libwebpdemux|"
    "PkgConfig::GODWIT_XXHASH||libxxhash|"
    "fmt::fmt|fmt|fmt|"
    "fmt::fmt-header-only|fmt||"
    "nlohmann_json::nlohmann_json|nlohmann_json||")

# Sets GODWIT_LINK_ORDER: every library after those that it links. Fails on an unlisted dependency.
function(godwit_visit library)
  get_property(done GLOBAL PROPERTY GODWIT_LINK_ORDER)
  if(library IN_LIST done)
    return()
  endif()
  get_target_property(links ${library} LINK_LIBRARIES)
  foreach(link ${links})
    if(link MATCHES "^godwit::(.+)$")
      godwit_visit(godwit_${CMAKE_MATCH_1})
    elseif(link MATCHES "::" AND NOT link MATCHES "BUILD_INTERFACE")
      if(NOT "${GODWIT_DEPENDENCIES}" MATCHES "(^|;)${link}\\|")
        message(FATAL_ERROR "${library} links ${link}: give it a line in cmake/package.cmake")
      endif()
      set_property(GLOBAL APPEND PROPERTY GODWIT_LINKS ${link})
    endif()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY GODWIT_LINK_ORDER ${library})
endfunction()
foreach(library ${libraries})
  godwit_visit(${library})
endforeach()

get_property(links GLOBAL PROPERTY GODWIT_LINKS)
set(find_lines "")
set(pc_requires "")
set(pc_libs "")
foreach(row ${GODWIT_DEPENDENCIES})
  string(REPLACE "|" ";" row "${row}")
  list(GET row 0 target)
  list(GET row 1 find)
  list(GET row 2 modules)
  list(GET row 3 flags)
  if(NOT target IN_LIST links)
    continue()
  endif()
  if(find)
    string(APPEND find_lines "find_dependency(${find})\n")
  else()
    string(REPLACE "PkgConfig::" "" prefix ${target})
    string(APPEND find_lines "godwit_find_modules(${prefix} ${modules})\n")
  endif()
  string(APPEND pc_requires " ${modules}")
  string(PREPEND pc_libs " ${flags}")
endforeach()
string(REGEX REPLACE " +" " " pc_requires "${pc_requires}")
get_property(order GLOBAL PROPERTY GODWIT_LINK_ORDER)
foreach(library ${order})
  string(PREPEND pc_libs " -l${library}")
endforeach()
string(REGEX REPLACE " +" " " pc_libs "${pc_libs}")

configure_package_config_file(cmake/godwit-config.cmake.in godwit-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(godwit-config-version.cmake COMPATIBILITY SameMinorVersion)
# Paths in godwit.pc are relative to itself, so that an installed tree can be moved.
file(RELATIVE_PATH pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" pc_prefix ${pc_prefix})
configure_file(cmake/godwit.pc.in godwit.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/godwit-config.cmake
              ${PROJECT_BINARY_DIR}/godwit-config-version.cmake DESTINATION ${package_dir})
install(FILES ${PROJECT_BINARY_DIR}/godwit.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
