// eval/tables.h: results as text: for a terminal, for a README, for a spreadsheet.
#pragma once

#include <string>

#include "eval/bd_rate.h"
#include "eval/results.h"

namespace godwit {

struct TableOptions {
  std::string anchor;  // empty: DefaultAnchor()
  double min_overlap = kMinOverlap;
};

// BD-rates against the anchor by each metric, and speeds.
std::string TerminalTable(const Results& results, const TableOptions& options);
// The same as Markdown, with command, versions, machine and shared ranges.
std::string MarkdownSummary(const Results& results, const TableOptions& options);

// One line a measurement; one line a point of a curve of means.
std::string MeasurementsCsv(const Results& results);
std::string CurvesCsv(const Results& results);

// "2 pictures were skipped, 3 measurements failed"; empty where all went well.
std::string TroubleText(const Results& results);

// `text` between the lines "<!-- godwit eval: begin -->" and "<!-- godwit eval: end -->" of
// `document`; kInvalidArgument where they are not there.
Result<std::string> ReplaceMarkedPart(const std::string& document, const std::string& text);

}  // namespace godwit
