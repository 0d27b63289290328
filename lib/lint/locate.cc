#include "lib/lint/locate.h"

#include <algorithm>

namespace drover::lint {

Spot Spot::miss() const {
  Spot out = *this;
  out.body_ = nullptr;
  out.block_ = nullptr;
  out.value_ = nullptr;
  out.exact_ = false;
  return out;
}

Spot Spot::block(std::string_view type, std::string_view label, std::size_t index) const {
  if (body_ == nullptr) return miss();
  const hcl::NativeBlock* found = nullptr;
  const hcl::NativeBlock* maker = nullptr;
  std::size_t seen = 0;
  for (const hcl::NativeBlock& one : body_->blocks) {
    if (one.type == "dynamic" && !one.labels.empty() && one.labels[0] == type && maker == nullptr) maker = &one;
    if (one.type != type) continue;
    const bool labelled = !label.empty() && !one.labels.empty();
    if (labelled ? one.labels[0] == label : seen == index) {
      found = &one;
      break;
    }
    seen++;
  }
  Spot out = *this;
  out.value_ = nullptr;
  if (found != nullptr) {
    out.block_ = found;
    out.body_ = found->body.get();
    out.range_ = found->header_range();
    return out;
  }
  if (maker == nullptr) return miss();
  out.block_ = maker;
  out.body_ = maker->body.get();
  out.range_ = maker->header_range();
  const auto content = std::find_if(maker->body->blocks.begin(), maker->body->blocks.end(), [](const auto& one) { return one.type == "content"; });
  if (content != maker->body->blocks.end()) out.body_ = content->body.get();
  return out;
}

Spot Spot::attribute(std::string_view name) const {
  if (body_ == nullptr) return miss();
  for (const hcl::NativeAttribute& one : body_->attributes) {
    if (one.name != name) continue;
    Spot out = miss();
    out.exact_ = true;
    out.range_ = one.range;
    out.value_ = one.expression.get();
    return out;
  }
  return miss();
}

Spot Spot::member(std::string_view type, std::string_view name) const {
  if (const Spot inside = block(type).attribute(name); inside.exact()) return inside;
  const Spot map = attribute(type);
  if (!map.exact()) return block(type);
  if (const auto* object = map.value_->as<hcl::ObjectExpr>()) {
    for (const hcl::ObjectItem& item : object->items) {
      const auto* key = item.key->as<hcl::ObjectKeyExpr>();
      const hcl::Expression& written = key != nullptr ? *key->wrapped : *item.key;
      const auto text = hcl::literal_string(written);
      const auto word = hcl::keyword_of(written);
      if ((!text || *text != name) && (!word || *word != name)) continue;
      Spot out = map;
      out.range_ = hcl::between(item.key->range, item.value->range);
      out.value_ = item.value.get();
      return out;
    }
  }
  return map;
}

Spot Spot::group(std::string_view name) const {
  const Spot named = block("group", name);
  return named.exact() || !block("task", name).exact() ? named : *this;
}

Spot Spot::task(std::string_view name) const { return block("task", name); }

hcl::Range whole_of(const hcl::NativeBlock& block) { return hcl::between(block.type_range, block.close_range); }

}  // namespace drover::lint
