// Methods of Go's time.Time and time.Duration, and the time zone free part of their text forms.
#pragma once

#include <span>
#include <string_view>

#include "common/base/result.h"
#include "evaluator/template/value.h"

namespace skep::templates {

// The method of a time, a duration, or a value with Methods; null where there is none of that name.
const Methods::Method* FindMethod(const Value& value, std::string_view name);

}  // namespace skep::templates
