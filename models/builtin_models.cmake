# Sets GODWIT_BUILTIN_SOURCES: a source file that holds models/weights/*.safetensors, whose bytes
# the assembler takes in. Included by CMakeLists.txt here.
file(GLOB weights CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/weights/*.safetensors)
# A changed file has another id, which is taken here.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${weights})

set(code "// Written by builtin_models.cmake.\n#include \"models/builtin_models.h\"\n\n#include <array>\n\n")
set(rows "")
set(count 0)
foreach(path ${weights})
  get_filename_component(file ${path} NAME)
  file(SHA256 ${path} digest)
  string(SUBSTRING ${digest} 0 16 id)
  set(symbol godwit_builtin_model_${count})
  string(APPEND code
         "__asm__(\".section .rodata,\\\"a\\\"\\n.balign 64\\n\"\n"
         "        \".globl ${symbol}\\n.hidden ${symbol}\\n${symbol}:\\n.incbin \\\"${path}\\\"\\n\"\n"
         "        \".globl ${symbol}_end\\n.hidden ${symbol}_end\\n${symbol}_end:\\n.previous\\n\");\n"
         "extern \"C\" const std::byte ${symbol}[], ${symbol}_end[];\n\n")
  string(APPEND rows "      godwit::BuiltinModel{\"${file}\", \"${id}\", {${symbol}, ${symbol}_end}},\n")
  math(EXPR count "${count} + 1")
endforeach()
string(APPEND code
       "std::span<const godwit::BuiltinModel> godwit::BuiltinModels() {\n"
       "  static const std::array<godwit::BuiltinModel, ${count}> models = {\n${rows}  };\n"
       "  return models;\n}\n")

set(GODWIT_BUILTIN_SOURCES ${CMAKE_CURRENT_BINARY_DIR}/builtin_models.cc)
file(CONFIGURE OUTPUT ${GODWIT_BUILTIN_SOURCES} CONTENT "${code}" @ONLY)  # only if it differs
set_source_files_properties(${GODWIT_BUILTIN_SOURCES} PROPERTIES OBJECT_DEPENDS "${weights}")
