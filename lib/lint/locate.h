// Where blocks and attributes of a job stand in its file, so that what is found in the parsed job can be shown there.
//
// A Spot is a place in the syntax tree. Going to what the file does not show (a `dynamic` block's product) stays at the
// last place known, so a finding is at worst shown at the block around. Borrows the tree, which must outlive it.
#pragma once

#include <optional>
#include <string_view>

#include "lib/hcl/ast.h"

namespace drover::lint {

class Spot {
 public:
  Spot() = default;
  explicit Spot(const hcl::NativeBody& file) : body_(&file) {}

  // The block of this type and label; without a label the `index`th of its type. A `dynamic` block stands for what it makes.
  [[nodiscard]] Spot block(std::string_view type, std::string_view label = {}, std::size_t index = 0) const;
  // The attribute's whole line.
  [[nodiscard]] Spot attribute(std::string_view name) const;
  // The value of a member: an attribute here, an entry of the map written as `type = { name = ... }`, or of the block `type { name = ... }`.
  [[nodiscard]] Spot member(std::string_view type, std::string_view name) const;
  // The job block, or the top of the file.
  [[nodiscard]] Spot job() const { return block("job"); }
  // The group; a task that stands alone in the job is its own group.
  [[nodiscard]] Spot group(std::string_view name) const;
  [[nodiscard]] Spot task(std::string_view name) const;

  // Whether the last step was found.
  [[nodiscard]] bool exact() const { return exact_; }
  [[nodiscard]] const std::optional<hcl::Range>& range() const { return range_; }
  // Null when this is an attribute, or nothing is known.
  [[nodiscard]] const hcl::NativeBody* body() const { return body_; }
  [[nodiscard]] const hcl::NativeBlock* as_block() const { return block_; }
  [[nodiscard]] const hcl::Expression* value() const { return value_; }

 private:
  [[nodiscard]] Spot miss() const;
  const hcl::NativeBody* body_ = nullptr;
  const hcl::NativeBlock* block_ = nullptr;
  const hcl::Expression* value_ = nullptr;
  std::optional<hcl::Range> range_;
  bool exact_ = true;
};

// From a block's header to its closing brace.
[[nodiscard]] hcl::Range whole_of(const hcl::NativeBlock& block);

}  // namespace drover::lint
