// The tokens of JSON text. Internal to lib/hcl's JSON syntax. Tokens take in what somebody probably meant (a number's stray signs, a
// string without its end), so that the parser can say what is wrong with it.
//
// Columns are counted as the reference counts them in JSON: a tab is two, a carriage return none.
#pragma once

#include <string_view>

#include "lib/hcl/source.h"

namespace drover::hcl {

enum class JsonTok : unsigned char { open_brace, close_brace, open_bracket, close_bracket, comma, colon, equal, keyword, string, number, end, invalid };

struct JsonToken {
  JsonTok type = JsonTok::end;
  std::string_view text;
  Range range;
};

class JsonScanner {
 public:
  explicit JsonScanner(SourcePtr file) : file_(std::move(file)), text_(file_->text) { scan(); }

  [[nodiscard]] const JsonToken& peek() const { return next_; }
  // At the end: the end, over and over.
  JsonToken read() {
    JsonToken token = next_;
    scan();
    return token;
  }

 private:
  void scan();
  void skip_blank();
  [[nodiscard]] Pos after_string(Pos pos) const;

  SourcePtr file_;
  std::string_view text_;
  Pos pos_;
  bool stopped_ = false;  // after a character that starts nothing
  JsonToken next_;
};

}  // namespace drover::hcl
