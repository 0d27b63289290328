// Constraints, affinities and spreads of job files.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"

namespace drover::model {

struct SpreadTarget {
  std::string value;
  std::uint32_t percent = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Value", self.value);
    v("Percent", self.percent);
  }
  friend bool operator==(const SpreadTarget&, const SpreadTarget&) = default;
};

struct Spread {
  std::string attribute;
  std::int32_t weight = 0;
  List<SpreadTarget> spread_target;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Attribute", self.attribute);
    v("Weight", self.weight);
    v("SpreadTarget", self.spread_target);
  }
  friend bool operator==(const Spread&, const Spread&) = default;
};

struct Constraint {
  std::string ltarget;
  std::string rtarget;
  std::string operand;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("LTarget", self.ltarget);
    v("RTarget", self.rtarget);
    v("Operand", self.operand);
  }
  friend bool operator==(const Constraint&, const Constraint&) = default;
};

struct Affinity {
  std::string ltarget;
  std::string rtarget;
  std::string operand;
  std::int32_t weight = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("LTarget", self.ltarget);
    v("RTarget", self.rtarget);
    v("Operand", self.operand);
    v("Weight", self.weight);
  }
  friend bool operator==(const Affinity&, const Affinity&) = default;
};

}  // namespace drover::model
