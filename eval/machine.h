// eval/machine.h: where measurements are made.
#pragma once

#include "eval/results.h"

namespace godwit {

MachineRecord ThisMachine();

}  // namespace godwit
