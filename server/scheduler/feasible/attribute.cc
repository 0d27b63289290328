#include "server/scheduler/feasible/attribute.h"

#include <array>
#include <cctype>
#include <charconv>

#include "sdk/base/text.h"

namespace drover::scheduler {
namespace {

struct Unit {
  std::string_view name;
  std::string_view base;
  double factor;
};

constexpr double kibi = 1024;
constexpr double kilo = 1000;
// Longest names first, so that the first suffix that matches is the right one.
constexpr std::array<Unit, 31> units = {{
  {"KiB/s", "B/s", kibi}, {"MiB/s", "B/s", kibi * kibi}, {"GiB/s", "B/s", kibi * kibi * kibi},
  {"TiB/s", "B/s", kibi * kibi * kibi * kibi}, {"PiB/s", "B/s", kibi * kibi * kibi * kibi * kibi},
  {"EiB/s", "B/s", kibi * kibi * kibi * kibi * kibi * kibi},
  {"kB/s", "B/s", kilo}, {"KB/s", "B/s", kilo}, {"MB/s", "B/s", 1e6}, {"GB/s", "B/s", 1e9}, {"TB/s", "B/s", 1e12},
  {"PB/s", "B/s", 1e15}, {"EB/s", "B/s", 1e18},
  {"KiB", "B", kibi}, {"MiB", "B", kibi * kibi}, {"GiB", "B", kibi * kibi * kibi}, {"TiB", "B", kibi * kibi * kibi * kibi},
  {"PiB", "B", kibi * kibi * kibi * kibi * kibi}, {"EiB", "B", kibi * kibi * kibi * kibi * kibi * kibi},
  {"MHz", "Hz", 1e6}, {"GHz", "Hz", 1e9},
  {"kB", "B", kilo}, {"KB", "B", kilo}, {"MB", "B", 1e6}, {"GB", "B", 1e9}, {"TB", "B", 1e12}, {"PB", "B", 1e15},
  {"mW", "W", 1e-3}, {"kW", "W", kilo}, {"MW", "W", 1e6}, {"GW", "W", 1e9},
}};
constexpr Unit watt = {"W", "W", 1};
constexpr Unit exa = {"EB", "B", 1e18};

const Unit* find_unit(std::string_view name) {
  for (const auto& unit : units) {
    if (unit.name == name) return &unit;
  }
  if (name == exa.name) return &exa;
  return name == watt.name ? &watt : nullptr;
}

std::string_view unit_suffix(std::string_view text) {
  for (const auto& unit : units) {
    if (text.ends_with(unit.name)) return unit.name;
  }
  if (text.ends_with(exa.name)) return exa.name;
  return text.ends_with(watt.name) ? watt.name : std::string_view();
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> boolean(std::string_view text) {
  for (const auto yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const auto no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

template <class T>
int order(const T& a, const T& b) { return a < b ? -1 : (b < a ? 1 : 0); }

}  // namespace

model::Attribute parse_attribute(std::string_view text) {
  model::Attribute out;
  std::string_view numeric = text;
  std::string_view unit;
  if (!text.empty() && std::isalpha(static_cast<unsigned char>(text.back()))) {
    unit = unit_suffix(text);
    if (!unit.empty()) numeric = trim(text.substr(0, text.size() - unit.size()));
  }
  if (const auto integer = number<std::int64_t>(numeric)) {
    out.int_ = *integer;
    out.unit = unit;
  } else if (const auto real = number<double>(numeric)) {
    out.float_ = *real;
    out.unit = unit;
  } else if (const auto flag = boolean(text)) {
    out.bool_ = *flag;
  } else {
    out.string = std::string(text);
  }
  return out;
}

std::optional<int> compare(const model::Attribute& a, const model::Attribute& b) {
  if (a.bool_ && b.bool_) return *a.bool_ == *b.bool_ ? 0 : 1;
  if (a.string && b.string) return order(*a.string, *b.string);
  const bool a_number = a.int_ || a.float_;
  const bool b_number = b.int_ || b.float_;
  if (!a_number || !b_number) return std::nullopt;
  if (a.unit == b.unit && a.int_ && b.int_) return order(*a.int_, *b.int_);
  const auto* a_unit = find_unit(a.unit);
  const auto* b_unit = find_unit(b.unit);
  if ((a_unit == nullptr) != (b_unit == nullptr)) return std::nullopt;
  if (a_unit != nullptr && a_unit->base != b_unit->base) return std::nullopt;
  const auto in_base = [](const model::Attribute& value, const Unit* unit) {
    const double plain = value.int_ ? static_cast<double>(*value.int_) : *value.float_;
    return unit == nullptr ? plain : plain * unit->factor;
  };
  return order(in_base(a, a_unit), in_base(b, b_unit));
}

std::optional<std::string> attribute_text(const model::Attribute& value) { return value.string; }

std::optional<std::string> attribute_version(const model::Attribute& value) {
  if (value.string) return value.string;
  if (value.int_) return fmt::format("{}{}", *value.int_, value.unit);
  return std::nullopt;
}

}  // namespace drover::scheduler
