// tests/codecs/test_array_synthesis.h: a synthesis of arrays made of random numbers.
#pragma once

#include <string>

#include "codecs/array/array_synthesis.h"
#include "tests/models/test_network.h"

namespace godwit {

// 1x1, 3x3, 1x1 with a residual: reads a patch and those around it. Its outputs use their range.
inline TestNetwork PatchNetwork(unsigned seed) {
  TestNetwork net{.input_channels = 194, .input_signed = true};
  net.layers = {
      {.op = "conv", .name = "head", .input = "in", .out = 16},
      {.op = "conv", .name = "body", .input = "head", .other = "head", .kernel = 3, .out = 16},
      {.op = "conv", .name = "tail", .input = "body", .out = 64, .is_signed = true}};
  net.Randomise(seed);
  return net;
}

inline SafeTensorsWriter PatchNetworkFile(const TestNetwork& net) {
  SafeTensorsWriter writer = net.Writer("synthesis");
  writer.SetMetadata("godwit.codec", "packet");
  writer.SetMetadata("godwit.kind", "synthesis");
  writer.SetMetadata("godwit.synthesis.size", "small");
  writer.SetMetadata("godwit.synthesis.stream", "0000000000000000");
  writer.SetMetadata("godwit.name", "test");
  writer.SetMetadata("godwit.version", "1");
  return writer;
}

inline Result<ArraySynthesis> TestArraySynthesis(unsigned seed) {
  GODWIT_ASSIGN_OR_RETURN(const SafeTensors file,
                          SafeTensors::Parse(PatchNetworkFile(PatchNetwork(seed)).Finish()));
  return ArraySynthesis::Load(file);
}

}  // namespace godwit
