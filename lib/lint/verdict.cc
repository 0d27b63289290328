#include "lib/lint/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "lib/lint/locate.h"
#include "lib/lint/values.h"
#include "sdk/base/text.h"

namespace drover::lint {

namespace {

constexpr int max_depth = 16;
constexpr std::string_view bullet = "\t* ";

// "<head>: 2 errors occurred:\n": how many follow, where the list begins, where the count begins. The earliest one of the text.
struct ListHead {
  std::size_t count = 0, at = 0, after = 0;
};
std::optional<ListHead> find_list(std::string_view text) {
  for (std::size_t found = text.find(" occurred:"); found != std::string_view::npos; found = text.find(" occurred:", found + 1)) {
    std::size_t start = found;
    for (const std::string_view word : {std::string_view(" errors"), std::string_view(" error")}) {
      if (text.substr(0, found).ends_with(word)) {
        start = found - word.size();
        break;
      }
    }
    std::size_t digits = start;
    std::size_t count = 0;
    while (digits > 0 && std::isdigit(static_cast<unsigned char>(text[digits - 1])) != 0 && start - digits < 6) digits--;
    for (std::size_t i = digits; i < start; i++) count = count * 10 + static_cast<std::size_t>(text[i] - '0');
    if (start == found || digits == start) continue;
    return ListHead{count, digits, found + std::string_view(" occurred:").size()};
  }
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::vector<Complaint> run() {
    while (!rest_.empty()) {
      if (rest_.starts_with(bullet)) rest_.remove_prefix(bullet.size());  // one more than its list said
      item({}, 0);
    }
    return std::move(out_);
  }

 private:
  // One complaint, or a head with the list below it. Consumes what it reads.
  void item(std::vector<std::string> under, int depth) {
    const auto list = find_list(rest_);
    const std::size_t next = rest_.find(bullet);
    if (!list || depth >= max_depth || (next != std::string_view::npos && list->at > next)) {
      const std::string_view text = trim(rest_.substr(0, next));
      if (!text.empty()) out_.push_back({std::move(under), std::string(text)});
      rest_ = next == std::string_view::npos ? std::string_view() : rest_.substr(next);
      return;
    }
    std::string_view head = trim(rest_.substr(0, list->at));
    if (head.ends_with(':')) head.remove_suffix(1);
    if (!head.empty()) under.emplace_back(head);
    rest_ = rest_.substr(list->after);
    for (std::size_t i = 0; i < list->count; i++) {
      const std::size_t start = rest_.find(bullet);
      if (start == std::string_view::npos) return;
      rest_ = rest_.substr(start + bullet.size());
      item(under, depth + 1);
    }
  }

  std::string_view rest_;
  std::vector<Complaint> out_;
};

// The lower-case words of a text; `_` and changes of case divide words as blanks do.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out(1);
  char before = ' ';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) == 0) {
      if (!out.back().empty()) out.emplace_back();
    } else {
      if (std::isupper(byte) != 0 && std::islower(static_cast<unsigned char>(before)) != 0 && !out.back().empty()) out.emplace_back();
      out.back() += static_cast<char>(std::tolower(byte));
    }
    before = c;
  }
  if (out.back().empty()) out.pop_back();
  return out;
}

bool contains(const std::vector<std::string>& words, const std::vector<std::string>& wanted) {
  return !wanted.empty() && std::search(words.begin(), words.end(), wanted.begin(), wanted.end()) != words.end();
}

// Where a complaint may belong: looks through the blocks below a spot, but not into tasks and groups of their own.
class Search {
 public:
  explicit Search(const std::string& text) : text_(text), words_(words_of(text)) {}

  void look(const hcl::NativeBody& body, const std::string& block, int depth) {
    for (const hcl::NativeAttribute& attribute : body.attributes) consider(attribute, block, depth);
    for (const hcl::NativeBlock& inner : body.blocks) {
      if (inner.type == "group" || inner.type == "task" || inner.type == "config" || depth >= max_depth) continue;
      consider(inner, depth);
      if (inner.body) look(*inner.body, inner.type == "dynamic" && !inner.labels.empty() ? inner.labels[0] : inner.type, depth + 1);
    }
  }

  std::optional<hcl::Range> place;
  std::string hint;

 private:
  void better(int score, const hcl::Range& range, std::string found) {
    if (score <= score_) return;
    score_ = score;
    place = range;
    hint = std::move(found);
  }

  void consider(const hcl::NativeAttribute& attribute, const std::string& block, int depth) {
    const auto literal = hcl::literal_string(*attribute.expression);
    if (literal && text_.find(*literal) != std::string::npos && !literal->empty()) {
      if (std::string found = value_hint(block, attribute.name, *literal); !found.empty()) {
        better(1000 - depth, attribute.range, std::move(found));
        return;
      }
    }
    const auto name = words_of(attribute.name);
    if (contains(words_, name)) better(100 + 20 * static_cast<int>(name.size()) + (contains(words_, words_of(block)) ? 10 : 0) - depth, attribute.range, "");
  }

  // A block that is named: by its label or its name in quotes.
  void consider(const hcl::NativeBlock& block, int depth) {
    for (const std::string& label : block.labels) {
      if (!label.empty() && text_.find(quote(label)) != std::string::npos) better(90 - depth, block.header_range(), "");
    }
    if (contains(words_, words_of(block.type))) better(50 - depth, block.header_range(), "");
  }

  const std::string& text_;
  std::vector<std::string> words_;
  int score_ = 0;
};

// The name in `Task group web validation failed`, or in `Group "web" has warnings`.
std::optional<std::string> named(const std::string& head, std::string_view before, std::string_view after) {
  if (!head.starts_with(before) || !head.ends_with(after) || head.size() < before.size() + after.size()) return std::nullopt;
  return head.substr(before.size(), head.size() - before.size() - after.size());
}
std::optional<std::string> group_of(const std::string& head) {
  const auto name = named(head, "Task group ", " validation failed");
  return name ? name : named(head, "Group \"", "\" has warnings");
}
std::optional<std::string> task_of(const std::string& head) {
  if (group_of(head)) return std::nullopt;
  const auto name = named(head, "Task ", " validation failed");
  return name ? name : named(head, "Task \"", "\" has warnings");
}

}  // namespace

std::vector<Complaint> parse_complaints(std::string_view text) { return Reader(text).run(); }

Findings place_verdict(std::string_view text, const std::string& file, const hcl::NativeBody* body) {
  Findings out;
  for (const Complaint& complaint : parse_complaints(text)) {
    Spot spot = body == nullptr ? Spot() : Spot(*body).job();
    std::string block = "job", summary;
    for (const std::string& head : complaint.under) {
      if (const auto group = group_of(head)) {
        spot = spot.group(*group);
        block = "group";
        summary += fmt::format("group {}: ", quote(*group));
      } else if (const auto task = task_of(head)) {
        spot = spot.task(*task);
        block = "task";
        summary += fmt::format("task {}: ", quote(*task));
      } else {
        summary += head + ": ";
      }
    }
    Finding finding{Severity::error, validate_rule, summary + complaint.text};
    finding.file = file;
    finding.place = spot.range();
    if (spot.body() != nullptr) {
      std::string all = complaint.text;
      for (const std::string& head : complaint.under) {
        if (!task_of(head) && !group_of(head)) all += " " + head;
      }
      Search search(all);
      search.look(*spot.body(), block, 0);
      if (search.place) finding.place = search.place;
      finding.detail = search.hint;
    }
    out.push_back(std::move(finding));
  }
  return out;
}

Findings place_answer(std::string_view text, const std::string& file, const hcl::NativeBody* body) {
  const auto list = find_list(text);
  if (!list) return {{.id = server_rule, .summary = std::string(text), .file = file}};
  text = text.substr(list->at);
  while (text.ends_with('\n') || text.ends_with(' ')) text.remove_suffix(1);
  if (text.ends_with(')')) text.remove_suffix(1);
  return place_verdict(text, file, body);
}

Findings place_warnings(std::string_view text, const std::string& file, const hcl::NativeBody* body) {
  Findings out;
  std::size_t at = text.find("\n* ");
  while (at != std::string_view::npos) {
    const std::size_t start = at + std::string_view("\n* ").size();
    at = text.find("\n* ", start);
    for (Finding& one : place_verdict(text.substr(start, at == std::string_view::npos ? at : at - start), file, body)) {
      one.severity = Severity::warning;
      out.push_back(std::move(one));
    }
  }
  return out;
}

}  // namespace drover::lint
