// The lexer: text to tokens, with one mode each for expressions, quoted templates and heredocs.
// Internal to lib/hcl. Tokens view the source text; broken input becomes tokens the parser reports, never a failure here.
#pragma once

#include <deque>
#include <string_view>

#include "lib/hcl/diagnostic.h"
#include "lib/hcl/source.h"

namespace drover::hcl {

enum class Tok : unsigned char {
  end_of_file, newline, comment, identifier, number,
  open_brace, close_brace, open_bracket, close_bracket, open_paren, close_paren,
  open_quote, close_quote, open_heredoc, close_heredoc, quoted_literal, heredoc_literal, quoted_newline,
  interpolation, control, sequence_end,
  star, slash, plus, minus, percent, equal, equal_equal, not_equal, less, less_equal, greater, greater_equal,
  and_and, or_or, bang, dot, comma, ellipsis, fat_arrow, question, colon, double_colon,
  bit_and, bit_or, bit_xor, bit_not, apostrophe, backtick, semicolon, bad_utf8, invalid,
};

struct Token {
  Tok type = Tok::end_of_file;
  std::string_view text;
  Pos start;
  Pos end;
};

// In chunks: there are hundreds of thousands of them in a large file, and a list that grows by moving would need twice the room.
using Tokens = std::deque<Token>;

enum class LexMode { normal, template_text };

// Lexes `file` from `start` on. The last token is end_of_file. Adds diagnostics for tokens that no grammar accepts.
[[nodiscard]] Tokens lex(const SourcePtr& file, Pos start, std::size_t end_byte, LexMode mode, Diagnostics& diagnostics);

}  // namespace drover::hcl
