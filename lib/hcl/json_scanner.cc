#include "lib/hcl/json_scanner.h"

#include <algorithm>

#include "lib/hcl/unicode.h"

namespace drover::hcl {

namespace {

constexpr std::string_view number_start = "-+.0123456789";
constexpr std::string_view number_part = "-+.eE0123456789";

bool is_alphabetical(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

JsonTok punctuation(char c) {
  switch (c) {
    case '{': return JsonTok::open_brace;
    case '}': return JsonTok::close_brace;
    case '[': return JsonTok::open_bracket;
    case ']': return JsonTok::close_bracket;
    case ',': return JsonTok::comma;
    case ':': return JsonTok::colon;
    case '=': return JsonTok::equal;
    default: return JsonTok::invalid;
  }
}

void forward(Pos& pos, std::size_t count) {
  pos.byte += static_cast<std::uint32_t>(count);
  pos.column += static_cast<int>(count);
}

}  // namespace

void JsonScanner::skip_blank() {
  for (; pos_.byte < text_.size(); pos_.byte++) {
    switch (text_[pos_.byte]) {
      case ' ': pos_.column++; break;
      case '\t': pos_.column += 2; break;
      case '\r': break;
      case '\n':
        pos_.line++;
        pos_.column = 1;
        break;
      default: return;
    }
  }
}

// From the opening quote to behind the closing one, or to where a control character or the text's end cuts it off.
Pos JsonScanner::after_string(Pos pos) const {
  forward(pos, 1);
  bool escaping = false;
  while (pos.byte < text_.size() && static_cast<unsigned char>(text_[pos.byte]) >= 32) {
    const char c = text_[pos.byte];
    if (c == '\\') {
      escaping = !escaping;
      forward(pos, 1);
      continue;
    }
    if (c == '"') {
      forward(pos, 1);
      if (!escaping) break;
    } else {
      pos.byte += static_cast<std::uint32_t>(grapheme_length(text_.substr(pos.byte)));
      pos.column++;
    }
    escaping = false;
  }
  return pos;
}

void JsonScanner::scan() {
  if (!stopped_) skip_blank();
  Pos end = pos_;
  JsonTok type = JsonTok::end;
  if (pos_.byte < text_.size() && !stopped_) {
    const char first = text_[pos_.byte];
    const auto run = [&](auto belongs) {
      const std::string_view rest = text_.substr(pos_.byte);
      forward(end, static_cast<std::size_t>(std::ranges::find_if_not(rest, belongs) - rest.begin()));
    };
    type = punctuation(first);
    if (type != JsonTok::invalid) {
      forward(end, 1);
    } else if (first == '"') {
      type = JsonTok::string;
      end = after_string(pos_);
    } else if (number_start.find(first) != std::string_view::npos) {
      type = JsonTok::number;
      run([](char c) { return number_part.find(c) != std::string_view::npos; });
    } else if (is_alphabetical(first)) {
      type = JsonTok::keyword;
      run([](char c) { return is_alphabetical(c) || c == '_'; });
    } else {
      forward(end, 1);
      stopped_ = true;
    }
  }
  next_ = {type, text_.substr(pos_.byte, end.byte - pos_.byte), {file_, pos_, end}};
  pos_ = end;
}

}  // namespace drover::hcl
