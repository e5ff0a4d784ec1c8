#include "common/model/sample.h"

namespace skep {

const double kStaleNaN = std::bit_cast<double>(kStaleNaNBits);

}  // namespace skep
