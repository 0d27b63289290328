// Model values as the API client's types show them to `-json` and `-t`: every field present, also those the server left out.
//
// Instantiated for the types that commands show (client_value.cc); another type is a link error.
#pragma once

#include <string>

#include "lib/gotemplate/value.h"
#include "lib/model/types.h"

namespace drover::cli {

template <class T>
[[nodiscard]] gotemplate::Value client_value(const T& value);
// Of an answer without a type of its own: objects become maps, whole numbers integers.
[[nodiscard]] gotemplate::Value json_value(const model::Json& json);
// JSON of such a value, in one line.
[[nodiscard]] std::string value_json(const gotemplate::Value& value);

}  // namespace drover::cli
