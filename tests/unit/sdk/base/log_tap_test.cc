#include <doctest/doctest.h>

#include "sdk/base/log_tap.h"

using namespace drover;

namespace {
class Kept final : public LogSink {
 public:
  void write(const LogRecord& record) override { text += std::string(record.message) + ";"; }
  std::string text;
};
}  // namespace

TEST_CASE("log tap: who listens hears its own level, while the log keeps to its") {
  const auto kept = std::make_shared<Kept>();
  const auto tap = std::make_shared<LogTap>(kept, LogLevel::warn);
  const Logger log("", tap, tap->level());
  std::string debug, error;
  log.info("before");
  const auto first = tap->listen(LogLevel::debug, [&](const LogRecord& record) { debug += std::string(record.message) + ";"; });
  const auto second = tap->listen(LogLevel::error, [&](const LogRecord& record) { error += std::string(record.message) + ";"; });
  log.trace("t");
  log.debug("d");
  log.warn("w");
  log.error("e");
  CHECK(debug == "d;w;e;");
  CHECK(error == "e;");
  CHECK(kept->text == "w;e;");
  tap->stop(first);
  CHECK_FALSE(log.enabled(LogLevel::info));
  tap->set_level(LogLevel::info);
  log.debug("d");
  log.info("i");
  tap->stop(second);
  log.error("last");
  CHECK(debug == "d;w;e;");
  CHECK(error == "e;");
  CHECK(kept->text == "w;e;i;last;");
}
