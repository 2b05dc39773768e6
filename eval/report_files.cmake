# Sets GODWIT_REPORT_SOURCE: a source file that holds eval/report/*, whose bytes the assembler takes
# in. Included by CMakeLists.txt here.
set(code "// Written by report_files.cmake.\n#include \"eval/report_files.h\"\n\n")
set(rows "")
set(files "")
foreach(file report.html report.css plot.js slider.js page.js)
  set(path ${CMAKE_CURRENT_SOURCE_DIR}/report/${file})
  list(APPEND files ${path})
  string(MAKE_C_IDENTIFIER "godwit_report_${file}" symbol)
  string(APPEND code
         "__asm__(\".section .rodata,\\\"a\\\"\\n\"\n"
         "        \".globl ${symbol}\\n.hidden ${symbol}\\n${symbol}:\\n.incbin \\\"${path}\\\"\\n\"\n"
         "        \".globl ${symbol}_end\\n.hidden ${symbol}_end\\n${symbol}_end:\\n.previous\\n\");\n"
         "extern \"C\" const char ${symbol}[], ${symbol}_end[];\n\n")
  string(APPEND rows "  if (name == \"${file}\") return {${symbol}, ${symbol}_end};\n")
endforeach()
string(APPEND code
       "std::string_view godwit::ReportFile(std::string_view name) {\n${rows}  return {};\n}\n")

set(GODWIT_REPORT_SOURCE ${CMAKE_CURRENT_BINARY_DIR}/report_files.cc)
file(CONFIGURE OUTPUT ${GODWIT_REPORT_SOURCE} CONTENT "${code}" @ONLY)  # only if it differs
set_source_files_properties(${GODWIT_REPORT_SOURCE} PROPERTIES OBJECT_DEPENDS "${files}")
