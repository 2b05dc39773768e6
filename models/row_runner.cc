#include "models/row_runner.h"

#include <algorithm>
#include <string>

#include "models/layer_kernels.h"

namespace godwit {
namespace {

constexpr int64_t kMaxSide = int64_t{1} << 40;  // of a picture: keeps sums in 64 bits

int64_t BorderOf(const Layer& layer) {
  return layer.op == LayerOp::kConv ? layer.conv.kernel / 2 : 0;
}

// Calls f(layer index, rows of context above, scale from value to layer) for each use of `value`.
template <typename F>
void ForReaders(const Graph& graph, size_t value, F f) {
  for (size_t i = value; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    if (layer.input == static_cast<int>(value)) f(i, BorderOf(layer), layer.block);
    if (layer.other == static_cast<int>(value)) f(i, int64_t{0}, 1);
  }
}

// When outputs are made up to row T of the input, a value is made up to row T * scale + halo. A
// step of n rows finds in memory what a reader still wants, from its own next row less its border,
// and adds n * scale rows, and the border below the picture.
int64_t RowsHeld(const Graph& graph, size_t v, int64_t max_rows) {
  const Value& value = graph.values[v];
  int64_t context = 0;
  ForReaders(graph, v, [&](size_t layer, int64_t border, int block) {
    context = std::max(context, value.halo - graph.values[layer + 1].halo / block + border);
  });
  return max_rows * value.scale + context + value.border;
}

struct Plan {
  std::vector<uint64_t> offsets;  // of each value but the last, multiples of kTensorAlign
  uint64_t bytes = 0;
};

Plan PlanRows(const Graph& graph, int64_t max_width, int64_t max_rows) {
  Plan plan;
  for (size_t v = 0; v + 1 < graph.values.size(); ++v) {
    const Value& value = graph.values[v];
    const int64_t bytes = RowsHeld(graph, v, max_rows) *
                          (max_width * value.scale + 2 * value.halo) * value.col_stride();
    plan.offsets.push_back(plan.bytes);
    plan.bytes += static_cast<uint64_t>(bytes + 63) / kTensorAlign * kTensorAlign;
  }
  plan.bytes += 64;  // vector kernels read past the last position
  return plan;
}

// The rows of one value that are in memory: those before `end` are computed, `bottom` copies of the
// picture's last row may follow, and rows above the picture's first are copies of it.
struct Rows {
  uint8_t* memory = nullptr;  // of row `first`, all columns of the buffer
  int64_t capacity = 0;       // rows
  Rect rect;                  // all that will be computed
  int64_t first = 0, end = 0, bottom = 0;
  int64_t lead = 0;             // columns of the buffer before rect.x
  int64_t left = 0, right = 0;  // copies of the picture's outer columns
  int64_t row_bytes = 0, position = 0;
  int channels = 0;

  Activation Window(int64_t y, int64_t h) const {
    return {{memory + (y - first) * row_bytes + lead * position, h, rect.w, channels, row_bytes,
             position},
            {y, rect.x, h, rect.w}};
  }
};

}  // namespace

struct RowRunner::State {
  State(const Network::State& network, SimdLevel level, int64_t width, int64_t rows)
      : layers(network, level), max_width(width), max_rows(rows) {}

  LayerKernels layers;
  int64_t max_width, max_rows;
  Plan plan;
  Tensor<uint8_t> arena;
  std::vector<Rows> values;  // the last one's memory is the caller's
  int64_t picture_h = 0;
  Rect out_rect;
  int64_t row = 0, planned = 0;  // outputs before `row` are made; a step takes it to `planned`
  bool started = false;
  Step step;

  int64_t EndAt(size_t v, int64_t out_row) const;
  int64_t FirstWanted(size_t v) const;
  void Drop(size_t v);
  void Extend(size_t v, int64_t end);
};

// Where a value ends when outputs are made up to out_row.
int64_t RowRunner::State::EndAt(size_t v, int64_t out_row) const {
  const Value& value = layers.graph().values[v];
  const Rect& rect = values[v].rect;
  return std::clamp(out_row * value.scale + value.halo, rect.y, rect.y + rect.h);
}

// The first row that some reader has still to read.
int64_t RowRunner::State::FirstWanted(size_t v) const {
  int64_t wanted = values[v].end + values[v].bottom;
  ForReaders(layers.graph(), v, [&](size_t layer, int64_t border, int block) {
    const Rows& reader = values[layer + 1];
    if (reader.end == reader.rect.y + reader.rect.h) return;
    wanted = std::min(wanted, reader.end / block - border);
  });
  return wanted;
}

void RowRunner::State::Drop(size_t v) {
  Rows& rows = values[v];
  const int64_t from = FirstWanted(v), dropped = from - rows.first;
  if (dropped <= 0) return;
  const int64_t kept = rows.end + rows.bottom - from;
  std::memmove(rows.memory, rows.memory + dropped * rows.row_bytes,
               static_cast<size_t>(kept * rows.row_bytes));
  rows.first = from;
}

// Rows up to `end` are computed: replicates edges where, and only where, they are the picture's.
void RowRunner::State::Extend(size_t v, int64_t end) {
  Rows& rows = values[v];
  const Value& value = layers.graph().values[v];
  const int64_t begin = rows.end, height = picture_h * value.scale;
  if (end == begin) return;
  const bool at_bottom = end == height;
  rows.end = end;
  rows.bottom = at_bottom ? value.border : 0;
  assert(end + rows.bottom - rows.first <= rows.capacity);
  ReplicateBorder(rows.Window(begin, end - begin).view, begin == 0 ? -rows.first : 0, rows.bottom,
                  rows.left, rows.right);
}

uint64_t RowRunner::BytesFor(const Network& network, int64_t max_width, int64_t max_rows) {
  assert(max_width <= kMaxRunnerWindow && max_rows <= kMaxStepRows);
  return PlanRows(network.state_->graph, max_width, max_rows).bytes;
}

uint64_t RowRunner::RestBytesFor(const Network& network) {
  uint64_t bytes = 0;
  for (const Layer& layer : network.state_->graph.layers) {
    if (layer.op == LayerOp::kConv && layer.input == 0)
      bytes += static_cast<uint64_t>(layer.conv.out_channels + 15) *
               static_cast<uint64_t>(layer.conv.in_channels + 7);
  }
  return bytes;
}

Result<RowRunner> RowRunner::Create(const Network& network, SimdLevel level, int64_t max_width,
                                    int64_t max_rows) {
  const std::vector<SimdLevel> levels = SupportedSimdLevels();
  if (std::find(levels.begin(), levels.end(), level) == levels.end()) {
    return Status(StatusCode::kInvalidArgument,
                  "this machine has no " + std::string(SimdLevelName(level)));
  }
  if (max_width < 1 || max_width > kMaxRunnerWindow || max_rows < 1 || max_rows > kMaxStepRows) {
    return Status(StatusCode::kInvalidArgument, "strip of " + std::to_string(max_width) + " by " +
                                                    std::to_string(max_rows) + " rows");
  }
  const Graph& graph = network.state_->graph;
  try {
    auto state = std::make_unique<State>(*network.state_, level, max_width, max_rows);
    state->plan = PlanRows(graph, max_width, max_rows);
    state->arena = Tensor<uint8_t>(1, static_cast<int64_t>(state->plan.bytes));
    state->values.resize(graph.values.size());
    return RowRunner(std::move(state));
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kInternal, "no memory for the workspace of a network");
  }
}

RowRunner::RowRunner(std::unique_ptr<State> state) : state_(std::move(state)) {}
RowRunner::RowRunner(RowRunner&&) noexcept = default;
RowRunner& RowRunner::operator=(RowRunner&&) noexcept = default;
RowRunner::~RowRunner() = default;

Status RowRunner::Start(int64_t picture_h, int64_t picture_w, Rect out_rect) {
  State& s = *state_;
  const Graph& graph = s.layers.graph();
  if (picture_h < 1 || picture_w < 1 || picture_h > kMaxSide || picture_w > kMaxSide ||
      out_rect.y < 0 || out_rect.x < 0 || out_rect.h < 1 || out_rect.w < 1 ||
      out_rect.h > picture_h || out_rect.w > picture_w || out_rect.y > picture_h - out_rect.h ||
      out_rect.x > picture_w - out_rect.w || out_rect.w > s.max_width) {
    return Status(StatusCode::kInvalidArgument,
                  "network: strip outside the picture or the runner's size");
  }
  s.picture_h = picture_h;
  s.out_rect = out_rect;
  for (size_t v = 0; v < graph.values.size(); ++v) {
    const Value& value = graph.values[v];
    Rows& rows = s.values[v];
    const int64_t width = picture_w * value.scale, height = picture_h * value.scale;
    const int64_t x = out_rect.x * value.scale - value.halo;  // of the buffer
    const int64_t y = out_rect.y * value.scale - value.halo;
    const int64_t columns = out_rect.w * value.scale + 2 * value.halo;
    rows.rect.x = std::max<int64_t>(x, 0), rows.rect.y = std::max<int64_t>(y, 0);
    rows.rect.w = std::min(x + columns, width) - rows.rect.x;
    rows.rect.h =
        std::min((out_rect.y + out_rect.h) * value.scale + value.halo, height) - rows.rect.y;
    rows.end = rows.rect.y;
    rows.bottom = 0;
    rows.channels = value.channels;
    if (v + 1 == graph.values.size()) continue;
    rows.memory = s.arena.data() + s.plan.offsets[v];
    rows.capacity = RowsHeld(graph, v, s.max_rows);
    rows.lead = rows.rect.x - x;
    rows.left = rows.rect.x == 0 ? std::min<int64_t>(value.border, rows.lead) : 0;
    rows.right = rows.rect.x + rows.rect.w == width
                     ? std::min<int64_t>(value.border, x + columns - width)
                     : 0;
    rows.position = value.col_stride();
    rows.row_bytes = columns * rows.position;
  }
  for (size_t v = 0; v + 1 < graph.values.size(); ++v) s.values[v].first = s.FirstWanted(v);
  // The first step takes the first row of input.
  s.row = s.values[0].rect.y - graph.input().halo;
  s.planned = s.row;
  s.started = true;
  return {};
}

bool RowRunner::done() const {
  return !state_->started || state_->row == state_->out_rect.y + state_->out_rect.h;
}

void RowRunner::SetRest(const uint8_t* input) { state_->layers.SetRest(input); }

TensorView<uint8_t> RowRunner::input_memory() {
  const Rows& rows = state_->values[0];
  return {rows.memory + rows.lead * rows.position,
          rows.capacity,
          rows.rect.w,
          rows.channels,
          rows.row_bytes,
          rows.position};
}

const RowRunner::Step& RowRunner::Next(int64_t rows, int64_t end) {
  State& s = *state_;
  assert(!done() && end > s.row);
  rows = std::clamp<int64_t>(rows, 1, s.max_rows);
  const int64_t out_begin = s.out_rect.y;
  s.planned = std::min({s.row + rows, out_begin + s.out_rect.h, end});
  s.Drop(0);
  const Rows& in = s.values[0];
  const Activation input = in.Window(in.end, s.EndAt(0, s.planned) - in.end);
  const int64_t from = std::max(s.row, out_begin), to = std::max(s.planned, out_begin);
  s.step = {input.view, input.rect, {from, s.out_rect.x, to - from, s.out_rect.w}};
  return s.step;
}

Status RowRunner::Run(TensorView<uint8_t> out) {
  State& s = *state_;
  const Graph& graph = s.layers.graph();
  const Value& last = graph.output();
  const Rect made{s.step.out_rect.y * last.scale, s.step.out_rect.x * last.scale,
                  s.step.out_rect.h * last.scale, s.step.out_rect.w * last.scale};
  if (s.planned == s.row ||
      (made.h > 0 && (out.height != made.h || out.width != made.w ||
                      out.channels != last.channels || out.col_stride < out.channels))) {
    return Status(StatusCode::kInvalidArgument, "network: no step planned, or output shape");
  }
  s.Extend(0, s.EndAt(0, s.planned));
  for (size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    Rows& rows = s.values[i + 1];
    const bool is_last = i + 1 == graph.layers.size();
    const int64_t end = s.EndAt(i + 1, s.planned);
    if (!is_last) s.Drop(i + 1);
    if (end == rows.end) continue;
    const Rows& from = s.values[static_cast<size_t>(layer.input)];
    const Activation input = from.Window(from.first, 0);
    const Rows& second = s.values[static_cast<size_t>(std::max(layer.other, 0))];
    const Activation other = second.Window(second.first, 0);
    const Activation output =
        is_last ? Activation{out, made} : rows.Window(rows.end, end - rows.end);
    s.layers.Run(i, input, layer.other >= 0 ? &other : nullptr, output);
    if (is_last) {
      rows.end = end;
    } else {
      s.Extend(i + 1, end);
    }
  }
  s.row = s.planned;
  return {};
}

}  // namespace godwit
