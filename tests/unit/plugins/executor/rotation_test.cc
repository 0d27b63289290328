#include "plugins/executor/rotation.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "plugins/executor/child.h"

using namespace drover::executor;

namespace {
// Applies plans until the chunk is written; what the executor does, on strings.
struct Files {
  std::uint64_t limit;
  std::vector<std::string> files{std::string()};

  void write(std::string_view chunk) {
    while (!chunk.empty()) {
      std::string& current = files.back();
      const bool at_line_start = current.empty() || current.back() == '\n';
      const auto plan = plan_write(current.size(), limit, at_line_start, chunk);
      REQUIRE((plan.write > 0 || plan.rotate));
      current.append(chunk.substr(0, plan.write));
      chunk.remove_prefix(plan.write);
      if (plan.rotate) files.emplace_back();
    }
  }
};
}  // namespace

TEST_CASE("rotation: a line that does not fit begins the next file") {
  Files files{.limit = 10};
  files.write("aaaa\nbbbb\ncccc\n");
  CHECK(files.files == std::vector<std::string>{"aaaa\nbbbb\n", "cccc\n"});
}

TEST_CASE("rotation: a line in two chunks is kept together when it fits") {
  Files files{.limit = 10};
  files.write("aaaa\nbb");
  files.write("bb\ncc");
  files.write("cc\n");
  CHECK(files.files == std::vector<std::string>{"aaaa\n", "bbbb\n", "cccc\n"});
}

TEST_CASE("rotation: a line longer than a file fills files to the limit") {
  Files files{.limit = 4};
  files.write("abcdefghij\nk\n");
  CHECK(files.files == std::vector<std::string>{"abcd", "efgh", "ij\n", "k\n"});
}

TEST_CASE("rotation: no line below the window is ever split, whatever the chunks") {
  const std::uint64_t limit = 256u << 10;
  std::string text;
  std::uint64_t state = 12345;
  const auto next = [&state](std::uint64_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % bound;
  };
  for (int i = 0; i < 400; ++i) text += std::string(1 + next(16000), static_cast<char>('a' + i % 26)) + "\n";
  Files files{.limit = limit};
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = std::min<std::size_t>(1 + next(65536), text.size() - at);
    files.write(std::string_view(text).substr(at, size));
    at += size;
  }
  std::string joined;
  for (std::size_t i = 0; i < files.files.size(); ++i) {
    const auto& file = files.files[i];
    CHECK(file.size() <= limit);
    if (i + 1 < files.files.size()) CHECK(file.back() == '\n');
    joined += file;
  }
  CHECK(joined == text);
  CHECK(files.files.size() > 10);
}

TEST_CASE("rotation: the lowest numbers go first") {
  CHECK(oldest_to_keep(0, 9, 10) == 0);
  CHECK(oldest_to_keep(0, 10, 10) == 1);
  CHECK(oldest_to_keep(0, 12, 3) == 10);
  CHECK(oldest_to_keep(12, 12, 1) == 12);
}

TEST_CASE("stages: the order is the one the kernel demands") {
  std::vector<Stage> order;
  for (const auto& entry : task_stages) order.push_back(entry.stage);
  CHECK(order == std::vector<Stage>{Stage::attributes, Stage::namespaces, Stage::mounts, Stage::pivot, Stage::bounding, Stage::user, Stage::capabilities,
                                    Stage::confine, Stage::exec});
  order.clear();
  for (const auto& entry : session_stages) order.push_back(entry.stage);
  CHECK(order == std::vector<Stage>{Stage::attributes, Stage::namespaces, Stage::terminal, Stage::bounding, Stage::user, Stage::capabilities,
                                    Stage::confine, Stage::exec});
}

TEST_CASE("wire: R-060 a cut, oversized or foreign message is malformed, never read past its end") {
  FixedBuffer buffer;
  put_text(buffer, Tag::id, "web");
  put_number(buffer, Tag::pid, 42);
  const std::string whole(buffer.finish(Type::status));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    auto reader = FieldReader::message(whole.data(), size, Type::status);
    Field field;
    while (reader.next(field)) {}
    CHECK(reader.malformed());
  }
  CHECK(FieldReader::message(whole.data(), whole.size(), Type::exec).malformed());
  auto reader = FieldReader::message(whole.data(), whole.size(), Type::status);
  Field field;
  REQUIRE(reader.next(field));
  CHECK(std::string(field.text()) == "web");
  REQUIRE(reader.next(field));
  CHECK(field.number() == 42);
  CHECK_FALSE(reader.next(field));
  CHECK_FALSE(reader.malformed());
}
