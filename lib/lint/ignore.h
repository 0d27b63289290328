// The comment that silences a warning: `# drover:lint-ignore DL003 the reason`, several ids divided by blanks or commas, `//` as good
// as `#`.
//
// Behind something on its line it is about that line; on a line of its own about the next line that is no comment, and when a block
// begins there, about the block as a whole. Before the first block of the file, with an empty line after it, about the file.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "lib/hcl/ast.h"
#include "lib/hcl/source.h"

namespace drover::lint {

class Ignored {
 public:
  // `body` may be null: comments then reach no further than their line and the next.
  Ignored(const hcl::SourcePtr& file, const hcl::NativeBody* body);
  [[nodiscard]] bool covers(const std::string& id, const hcl::Range& place) const;
  // Every id that a comment names, with the comment's place; an empty one where it names none.
  struct Named {
    std::string id;
    hcl::Range place;
  };
  [[nodiscard]] const std::vector<Named>& named() const { return named_; }

 private:
  struct Reach {
    std::string id;
    int first, last;  // lines
  };
  std::vector<Reach> reaches_;
  std::vector<Named> named_;
};

}  // namespace drover::lint
