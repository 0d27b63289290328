// The words of a template: text outside the delimiters, tokens inside them. `{{- ` and ` -}}` cut the blanks beside them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace drover::gotemplate {

enum class Token {
  error, end, text, left, right, space, field, variable, identifier, keyword, string, raw_string, number, character, boolean, nil, dot,
  pipe, open, close, declare, assign, comma,
};

struct Lexeme {
  Token token = Token::end;
  std::size_t at = 0;
  std::string text;  // of an error: what is wrong
};

// Ends with `end` or, after the first mistake, `error`.
[[nodiscard]] std::vector<Lexeme> scan(std::string_view text, std::string_view left, std::string_view right);

}  // namespace drover::gotemplate
