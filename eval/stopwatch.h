// eval/stopwatch.h: times of codecs on one item, all codecs turn by turn.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "eval/codec.h"

namespace godwit {

// A codec at a setting.
struct Contender {
  Codec* codec = nullptr;
  double setting = 0;
  double last_encode_s = 0;                // of a run before the race: tells whether to warm up
  Bytes stream;                            // what it gives, and what it decodes
  std::vector<double> encode_s, decode_s;  // one a repeat
  Status status;                           // an error takes it out of the race
};

// Times encoding and decoding of `item`, `repeats` times each. In each repeat all contenders take a
// turn, in an order that changes; a turn is one run to warm up, unless a run takes so long that it
// does not matter, and one that counts. `stop` is asked between turns; true leaves the times of
// all contenders empty.
void TimeContenders(const ItemView& item, int repeats, int threads,
                    std::vector<Contender>& contenders, const std::function<bool()>& stop);

// The middle one, or the mean of the middle two. At least one.
double Median(std::vector<double> values);

}  // namespace godwit
