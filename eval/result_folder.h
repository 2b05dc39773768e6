// eval/result_folder.h: everything that is written about an evaluation.
#pragma once

#include <functional>
#include <string>

#include "base/status.h"
#include "eval/results.h"
#include "eval/tables.h"

namespace godwit {

// results.json alone: what resuming, merging and all else needs.
Status WriteResultsFile(const std::string& folder, const Results& results);

// Tables, curves, plots and the report, from `results`. `note` hears of what is left out.
Status WriteResultViews(const std::string& folder, const Results& results,
                        const TableOptions& options,
                        const std::function<void(const std::string&)>& note);

// Replaces `path`, whole or not at all.
Status WriteTextFile(const std::string& path, const std::string& text);

}  // namespace godwit
