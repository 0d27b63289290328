#include "lib/cron/field.h"

#include <array>
#include <optional>
#include <span>
#include <string>

#include "sdk/base/text.h"

namespace drover::cron {
namespace {

struct Description {
  const char* name;
  int min;
  int max;
  std::span<const std::string_view> names;  // full names, the first of value `min`; the first three letters do as well
};

constexpr std::array<std::string_view, 12> months{"january", "february", "march", "april", "may", "june", "july",
                                                  "august", "september", "october", "november", "december"};
constexpr std::array<std::string_view, 7> weekdays{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};

Description describe(FieldKind kind) {
  switch (kind) {
    case FieldKind::second: return {"second", 0, 59, {}};
    case FieldKind::minute: return {"minute", 0, 59, {}};
    case FieldKind::hour: return {"hour", 0, 23, {}};
    case FieldKind::day_of_month: return {"day-of-month", 1, 31, {}};
    case FieldKind::month: return {"month", 1, 12, months};
    case FieldKind::day_of_week: return {"day-of-week", 0, 6, weekdays};
    case FieldKind::year: return {"year", first_year, last_year, {}};
  }
  return {"", 0, 0, {}};
}

std::optional<int> number(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  int out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    out = out * 10 + (c - '0');
  }
  return out;
}

class Parser {
 public:
  Parser(FieldKind kind, Description description) : kind_(kind), d_(description) {}

  Result<Field> parse(std::string_view text) {
    bool empty = true;
    for (const std::string& entry : split(text, ',')) {
      if (entry.empty()) continue;
      empty = false;
      DROVER_TRY(parse_entry(entry));
    }
    if (empty) return fail(Code::invalid_argument, "{} field: missing directive", d_.name);
    return std::move(out_);
  }

 private:
  Result<> parse_entry(const std::string& entry) {
    const std::string text = to_lower(entry);
    const std::size_t slash = text.find('/');
    const std::string_view range = std::string_view(text).substr(0, slash);
    if (slash != std::string::npos) {
      const std::string_view step_text = std::string_view(text).substr(slash + 1);
      if (!is_digits(step_text)) return syntax_error(entry);
      const auto bounds = range_of(range, true);
      if (!bounds) return syntax_error(entry);
      const std::optional<int> step = number(step_text);
      if (!step || *step < 1 || *step > d_.max) return fail(Code::invalid_argument, "invalid interval {}", text);
      fill(*bounds, *step);
      return {};
    }
    if (text == "*" || text == "?") {
      out_.any = true;
      fill({d_.min, d_.max}, 1);
      return {};
    }
    if (const auto bounds = range_of(range, false)) {
      fill(*bounds, 1);
      return {};
    }
    if (!parse_special(text)) return syntax_error(entry);
    return {};
  }

  struct Bounds {
    int first;
    int last;
  };

  // `5`, `1-5`; before a step also `*`, and a single value then means all from it on.
  std::optional<Bounds> range_of(std::string_view text, bool stepped) const {
    if (stepped && text == "*") return Bounds{d_.min, d_.max};
    const std::size_t dash = text.find('-');
    const auto first = value(text.substr(0, dash));
    if (!first) return std::nullopt;
    if (dash == std::string_view::npos) return Bounds{*first % wrap(), stepped ? d_.max : *first % wrap()};
    const std::string_view end = text.substr(dash + 1);
    auto last = value(end);
    if (!last) return std::nullopt;
    if (kind_ != FieldKind::day_of_week) return Bounds{*first, *last};
    // Sunday ends a week as well as it begins one: fri-sun, 5-7.
    if (*last == 0 && end.starts_with("sun") && *first % 7 != 0) last = 7;
    return *first > *last ? Bounds{*first % 7, *last % 7} : Bounds{*first, *last};
  }

  int wrap() const { return kind_ == FieldKind::day_of_week ? 7 : 1 << 16; }

  std::optional<int> value(std::string_view text) const {
    for (std::size_t i = 0; i < d_.names.size(); i++) {
      if (text == d_.names[i] || (text.size() == 3 && text == d_.names[i].substr(0, 3))) return d_.min + static_cast<int>(i);
    }
    if (kind_ != FieldKind::year && text.size() > 2) return std::nullopt;
    const auto out = number(text);
    const int max = kind_ == FieldKind::day_of_week ? 7 : d_.max;
    if (!out || *out < d_.min || *out > max) return std::nullopt;
    return out;
  }

  void fill(Bounds bounds, int step) {
    const int base = kind_ == FieldKind::year ? first_year : 0;
    for (int i = bounds.first; i <= bounds.last; i += step) out_.values.set(static_cast<std::size_t>(i % wrap() - base));
  }

  bool parse_special(std::string_view text) {
    if (kind_ == FieldKind::day_of_month) {
      if (text == "l") return out_.last_day = true;
      if (text == "lw") return out_.last_workday = true;
      if (!text.ends_with('w')) return false;
      const auto day = value(text.substr(0, text.size() - 1));
      if (day) out_.near_workdays.set(static_cast<std::size_t>(*day));
      return day.has_value();
    }
    if (kind_ != FieldKind::day_of_week) return false;
    if (text.ends_with('l')) {
      const auto day = value(text.substr(0, text.size() - 1));
      if (day) out_.last_weekdays.set(static_cast<std::size_t>(*day % 7));
      return day.has_value();
    }
    const std::size_t hash = text.find('#');
    if (hash == std::string_view::npos || text.size() != hash + 2 || text[hash + 1] < '1' || text[hash + 1] > '5') return false;
    const auto day = value(text.substr(0, hash));
    if (day) out_.nth_weekdays.set(static_cast<std::size_t>((text[hash + 1] - '1') * 7 + *day % 7));
    return day.has_value();
  }

  static bool is_digits(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos; }

  Unexpected syntax_error(const std::string& entry) const {
    return fail(Code::invalid_argument, "syntax error in {} field: '{}'", d_.name, entry);
  }

  FieldKind kind_;
  Description d_;
  Field out_;
};

}  // namespace

Result<Field> parse_field(FieldKind kind, std::string_view text) { return Parser(kind, describe(kind)).parse(text); }

}  // namespace drover::cron
