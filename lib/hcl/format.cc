#include "lib/hcl/format.h"

#include <algorithm>
#include <span>
#include <vector>

#include "lib/hcl/token.h"
#include "lib/hcl/unicode.h"

namespace drover::hcl {

namespace {

struct Piece {
  Token token;
  std::size_t blanks = 0;  // before it
};

using Pieces = std::span<Piece>;

// The tokens up to a line break that is a token, in up to three columns: `name`, `= value`, `# comment`. A text over several lines
// (a heredoc) is one line here.
struct Line {
  Pieces lead;
  Pieces assign;
  Pieces comment;
};

int bracket_change(const Token& token) {
  switch (token.type) {
    case Tok::open_brace:
    case Tok::open_bracket:
    case Tok::open_paren:
    case Tok::interpolation:
    case Tok::control: return 1;
    case Tok::close_brace:
    case Tok::close_bracket:
    case Tok::close_paren:
    case Tok::sequence_end: return -1;
    default: return 0;
  }
}

bool ends_line(const Token& token) { return token.type == Tok::newline || (token.type == Tok::comment && token.text.ends_with('\n')); }

bool is_text(Tok type) { return type == Tok::quoted_literal || type == Tok::heredoc_literal || type == Tok::quoted_newline; }

// A minus after this is a sign, not a subtraction.
bool starts_operand(Tok before) {
  switch (before) {
    case Tok::end_of_file:  // nothing is before it
    case Tok::open_paren: case Tok::open_brace: case Tok::open_bracket: case Tok::equal: case Tok::colon: case Tok::comma: case Tok::question:
    case Tok::plus: case Tok::minus: case Tok::star: case Tok::slash: case Tok::percent:
    case Tok::equal_equal: case Tok::not_equal: case Tok::less: case Tok::less_equal: case Tok::greater: case Tok::greater_equal:
    case Tok::and_and: case Tok::or_or: case Tok::bang: return true;
    default: return false;
  }
}

// Whether a blank stands between `token` and `after`. `before` is what precedes the token in its column.
bool blank_between(Tok before, const Token& token, const Token& after) {
  const Tok left = token.type;
  const Tok right = after.type;
  if (right == Tok::newline) return false;
  if (left == Tok::identifier && (right == Tok::open_paren || right == Tok::double_colon)) return false;
  if (left == Tok::double_colon || left == Tok::dot || right == Tok::dot) return false;
  if (right == Tok::comma || right == Tok::ellipsis) return false;
  if (left == Tok::comma) return true;
  if (is_text(left) || left == Tok::open_quote || left == Tok::open_heredoc) return false;
  if (is_text(right) || right == Tok::close_quote || right == Tok::close_heredoc) return false;
  // `for x in [a]`, which looks like an index of `in`
  if (left == Tok::identifier && token.text == "in" && before == Tok::identifier) return true;
  if (right == Tok::open_bracket && (left == Tok::identifier || left == Tok::number || bracket_change(token) < 0)) return false;
  if (left == Tok::bang) return false;
  if (left == Tok::minus) return !starts_operand(before);
  if (left == Tok::open_brace || right == Tok::close_brace) return left != Tok::open_brace || right != Tok::close_brace;
  // `${ {a = 1} }`: the braces of an object keep apart from those of the sequence.
  if ((left == Tok::interpolation || left == Tok::control) && right == Tok::open_brace) return true;
  if (left == Tok::close_brace && right == Tok::sequence_end) return true;
  if (left == Tok::sequence_end && (right == Tok::interpolation || right == Tok::control)) return false;
  return bracket_change(token) <= 0 && bracket_change(after) >= 0;
}

std::vector<Line> split_lines(std::vector<Piece>& pieces) {
  std::vector<Line> out;
  std::size_t start = 0;
  for (std::size_t i = 0; i < pieces.size(); i++) {
    if (!ends_line(pieces[i].token) && i + 1 != pieces.size()) continue;
    Line line{Pieces(pieces).subspan(start, i + 1 - start), {}, {}};
    start = i + 1;
    if (line.lead.size() > 1 && line.lead.back().token.type == Tok::comment) {
      line.comment = line.lead.last(1);
      line.lead = line.lead.first(line.lead.size() - 1);
    }
    for (std::size_t at = 1; at < line.lead.size(); at++) {
      if (line.lead[at].token.type != Tok::equal) continue;
      // A value that goes on in the next line is not aligned.
      int open = 0;
      for (const Piece& piece : line.lead.subspan(at)) open += bracket_change(piece.token);
      if (open == 0) {
        line.assign = line.lead.subspan(at);
        line.lead = line.lead.first(at);
      }
      break;
    }
    out.push_back(line);
  }
  return out;
}

// Counts what a line opens and closes in total: brackets that open together are one level and close as one.
class Indenter {
 public:
  std::size_t level_of(const Line& line) {
    int open = net(line.lead) + net(line.assign);
    if (open >= 0) {
      const std::size_t level = levels_.size();
      if (open > 0) levels_.push_back(open);
      return level;
    }
    for (int close = -open; close > 0 && !levels_.empty();) {
      const int here = std::min(close, levels_.back());
      levels_.back() -= here;
      close -= here;
      if (levels_.back() == 0) levels_.pop_back();
    }
    return levels_.size();
  }

 private:
  static int net(Pieces pieces) {
    int out = 0;
    for (const Piece& piece : pieces) {
      out += bracket_change(piece.token);
      if (piece.token.type == Tok::open_heredoc) break;
    }
    return out;
  }
  std::vector<int> levels_;
};

void space(Pieces pieces) {
  for (std::size_t i = 0; i + 1 < pieces.size(); i++) {
    const Tok before = i == 0 ? Tok::end_of_file : pieces[i - 1].token.type;
    pieces[i + 1].blanks = blank_between(before, pieces[i].token, pieces[i + 1].token) ? 1 : 0;
  }
}

std::size_t columns(Pieces pieces) {
  std::size_t out = 0;
  for (const Piece& piece : pieces) out += piece.blanks + graphemes(piece.token.text).size();
  return out;
}

// Lines up one column over each run of lines that have it.
void align(std::vector<Line>& lines, Pieces Line::*column, std::size_t (*width)(const Line&)) {
  for (std::size_t start = 0; start < lines.size(); start++) {
    std::size_t end = start;
    std::size_t widest = 0;
    for (; end < lines.size() && !(lines[end].*column).empty(); end++) widest = std::max(widest, width(lines[end]));
    for (; start < end; start++) (lines[start].*column)[0].blanks = widest - width(lines[start]) + 1;
  }
}

}  // namespace

std::string format(const SourcePtr& file) {
  Diagnostics ignored;
  std::vector<Piece> pieces;
  for (const Token& token : lex(file, {}, file->text.size(), LexMode::normal, ignored)) {
    if (token.type != Tok::end_of_file) pieces.push_back({token});
  }
  std::vector<Line> lines = split_lines(pieces);
  Indenter indenter;
  for (Line& line : lines) {
    if (line.lead[0].token.type == Tok::newline) continue;
    line.lead[0].blanks = 2 * indenter.level_of(line);
    space(line.lead);
    space(line.assign);
  }
  align(lines, &Line::assign, [](const Line& line) { return columns(line.lead); });
  align(lines, &Line::comment, [](const Line& line) { return columns(line.lead) + columns(line.assign); });
  std::string out;
  for (const Piece& piece : pieces) {
    out.append(piece.blanks, ' ');
    out += piece.token.text;
  }
  return out;
}

}  // namespace drover::hcl
