// eval/report_files.h: the files of eval/report/, built in by report_files.cmake.
#pragma once

#include <string_view>

namespace godwit {

// "report.html"; empty for a name that is not there.
std::string_view ReportFile(std::string_view name);

}  // namespace godwit
