// models/row_runner.h: a network over a strip of a picture, rows in, rows out, none computed twice.
#pragma once

#include <cstdint>
#include <memory>

#include "base/cpu.h"
#include "base/status.h"
#include "models/network.h"
#include "tensor/tensor.h"

namespace godwit {

inline constexpr int64_t kMaxStepRows = 256;

// Every layer keeps the last rows that its readers will want again, so memory does not follow the
// height. Owns its workspace; for one thread at a time.
//
//   runner.Start(picture_h, picture_w, out_rect);
//   while (!runner.done()) {
//     const RowRunner::Step& step = runner.Next(4);
//     ... fill step.input with the input in step.input_rect ...
//     runner.Run(out);  // step.out_rect: no rows at first, Network::halo() rows late
//   }
class RowRunner {
 public:
  struct Step {
    TensorView<uint8_t> input;  // where the input rows that are new go, all channels of each
    Rect input_rect;            // their place; h is 0 below the last row that is needed
    Rect out_rect;              // what Run() makes, in input positions; h may be 0
  };

  // For strips of at most max_width input positions and steps of at most max_rows rows. `network`
  // must outlive the runner (and may be moved). kInvalidArgument for a level that this machine
  // lacks or sizes outside [1, kMaxRunnerWindow] and [1, kMaxStepRows]; kInternal if memory is
  // short.
  static Result<RowRunner> Create(const Network& network, SimdLevel level, int64_t max_width,
                                  int64_t max_rows);
  // What Create() allocates. Sizes as there.
  static uint64_t BytesFor(const Network& network, int64_t max_width, int64_t max_rows);
  RowRunner(RowRunner&&) noexcept;
  RowRunner& operator=(RowRunner&&) noexcept;
  ~RowRunner();

  // From the top of `out_rect` (input positions, any height): what was begun before is forgotten.
  // kInvalidArgument if it is not inside the picture or too wide. Nothing from here on allocates,
  // and samples do not depend on strips and steps.
  Status Start(int64_t picture_h, int64_t picture_w, Rect out_rect);
  bool done() const;

  // All memory that inputs are ever written to, for channels that are the same everywhere: write
  // those once after Start(), they stay.
  TensorView<uint8_t> input_memory();

  // What most positions of the input have in most of their channels, as many bytes: makes the first
  // layer faster and changes nothing else. Allocates; it stays for all strips.
  void SetRest(const uint8_t* input);
  static uint64_t RestBytesFor(const Network& network);  // at most

  // Plans a step of at most `rows` rows, at most max_rows, that makes no output of row `end` or
  // after, which is below what is made so far. May be called again instead of Run().
  const Step& Next(int64_t rows, int64_t end = INT64_MAX);
  // Takes the planned step. `out` is {step.out_rect.h * scale, out_rect.w * scale, channels} and
  // may be empty where there are no rows; kInvalidArgument for another shape.
  Status Run(TensorView<uint8_t> out);

 private:
  struct State;
  explicit RowRunner(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace godwit
