#include "lib/lint/ignore.h"

#include <climits>
#include <map>

#include "lib/lint/locate.h"
#include "sdk/base/text.h"

namespace drover::lint {

namespace {

constexpr std::string_view marker = "drover:lint-ignore";

// The last line of every block by the line it begins on; the outermost when several begin there.
void collect(const hcl::NativeBody& body, std::map<int, int>& out) {
  for (const hcl::NativeBlock& block : body.blocks) {
    const hcl::Range whole = whole_of(block);
    out.emplace(whole.start.line, whole.end.line);
    if (block.body) collect(*block.body, out);
  }
}

bool is_comment(std::string_view line) {
  const std::string_view text = trim(line);
  return text.starts_with('#') || text.starts_with("//");
}

}  // namespace

Ignored::Ignored(const hcl::SourcePtr& file, const hcl::NativeBody* body) {
  if (file->text.find(marker) == std::string::npos) return;
  std::map<int, int> ends;
  if (body != nullptr) collect(*body, ends);
  const int first_block = ends.empty() ? INT_MAX : ends.begin()->first;
  const std::vector<std::string> lines = split(file->text, '\n');
  std::size_t byte = 0;
  for (std::size_t i = 0; i < lines.size(); byte += lines[i].size() + 1, i++) {
    const std::size_t at = lines[i].find(marker);
    if (at == std::string::npos) continue;
    const std::size_t opens = lines[i].find_first_of("#/");
    if (opens == std::string::npos || opens > at) continue;
    const int line = static_cast<int>(i) + 1;
    int first = line, last = line;
    if (is_comment(lines[i])) {
      std::size_t next = i + 1;
      while (next < lines.size() && is_comment(lines[next])) next++;
      const bool divided = next < lines.size() && trim(lines[next]).empty();
      first = last = static_cast<int>(next) + 1;
      if (divided && line < first_block) last = INT_MAX;
      else if (const auto block = ends.find(first); block != ends.end()) last = block->second;
    }
    const std::string_view text = lines[i];
    hcl::Pos pos;
    hcl::advance(pos, std::string_view(file->text).substr(0, byte + at));
    hcl::Pos end = pos;
    hcl::advance(end, text.substr(at));
    bool any = false;
    for (const std::string& word : split(replace_all(text.substr(at + marker.size()), ",", " "), ' ')) {
      const std::string id(trim(word));
      if (id.empty()) continue;
      if (!id.starts_with("DL")) break;  // the reason
      any = true;
      reaches_.push_back({id, first, last});
      named_.push_back({id, {file, pos, end}});
    }
    if (!any) named_.push_back({"", {file, pos, end}});
  }
}

bool Ignored::covers(const std::string& id, const hcl::Range& place) const {
  for (const Reach& reach : reaches_) {
    if (reach.id == id && place.start.line >= reach.first && place.start.line <= reach.last) return true;
  }
  return false;
}

}  // namespace drover::lint
