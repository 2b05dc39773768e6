// eval/report.h: report.html, which shows results in a browser without a network.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "eval/results.h"
#include "eval/tables.h"

namespace godwit {

// What the page draws; eval/report/page.js reads it.
nlohmann::ordered_json ReportData(const Results& results, const TableOptions& options);

// The whole page but for the pictures, which it expects in kReportPictureFolder beside it.
std::string ReportHtml(const Results& results, const TableOptions& options);

}  // namespace godwit
