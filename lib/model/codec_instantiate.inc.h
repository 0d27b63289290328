// DROVER_MODEL_CODEC(Type) instantiates the functions of codec.h for one type.
#pragma once

#include "lib/model/codec_json.inc.h"
#include "lib/model/codec_msgpack.inc.h"

namespace drover::model {

template <class T>
void append_json(std::string& out, const T& value) { json_codec::write(out, value); }

template <class T>
Result<> from_json_value(const Json& json, T& value) { return json_codec::read(json, value, {}); }

template <class T>
Result<> from_json(std::string_view text, T& value) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return fail(Code::invalid_argument, "the text is not valid JSON");
  return json_codec::read(json, value, {});
}

template <class T>
void append_msgpack(std::string& out, const T& value) {
  msgpack::Writer writer(out);
  msgpack_codec::write(writer, value);
}

template <class T>
Result<> from_msgpack(std::string_view bytes, T& value) {
  msgpack::Reader reader(bytes);
  if (!msgpack_codec::read(reader, value) || !reader.at_end()) {
    return fail(Code::invalid_argument, "the bytes are not a MessagePack value of the expected type");
  }
  return {};
}

}  // namespace drover::model

#define DROVER_MODEL_CODEC(T)                                               \
  template void drover::model::append_json(std::string&, const T&);         \
  template drover::Result<> drover::model::from_json(std::string_view, T&); \
  template drover::Result<> drover::model::from_json_value(const drover::model::Json&, T&); \
  template void drover::model::append_msgpack(std::string&, const T&);      \
  template drover::Result<> drover::model::from_msgpack(std::string_view, T&);
