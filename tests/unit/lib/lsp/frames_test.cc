#include "lib/lsp/frames.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lib/lsp/document.h"

using namespace drover;
using namespace drover::lsp;
using nlohmann::json;

TEST_CASE("frames: messages in pieces of any size, other headers, several at once") {
  const std::string bytes = "Content-Length: 2\r\nContent-Type: x\r\n\r\n{}" + frame("[1]") + "content-length:0\r\n\r\n";
  for (std::size_t size : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    FrameReader reader;
    std::string seen;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      reader.feed(std::string_view(bytes).substr(at, size));
      for (;;) {
        const auto message = reader.next();
        REQUIRE(message);
        if (!*message) break;
        seen += "<" + **message + ">";
      }
    }
    CHECK(seen == "<{}><[1]><>");
    CHECK_FALSE(reader.midway());
  }
}

TEST_CASE("frames: what is no frame ends the session") {
  for (const std::string& bytes : {std::string("Content-Length: -1\r\n\r\n"), std::string("Content-Length: 99999999999999999999\r\n\r\n"), std::string("Content-Length: 17000000\r\n\r\n"),
                                   std::string("Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), std::string("Content-Length: 0x10\r\n\r\n"), std::string("X: 1\r\n\r\n"), std::string(5000, 'x'),
                                   std::string("Content-Length: \r\n\r\n")}) {
    CAPTURE(bytes.substr(0, 60));
    FrameReader reader;
    reader.feed(bytes);
    CHECK_FALSE(reader.next());
    CHECK_FALSE(reader.next());
  }
}

TEST_CASE("document: edits by UTF-16 positions, one after another") {
  Document document{"file:///a", "/a", "a\n\xf0\x9f\x90\x82 = 1\n", {}};
  const auto edit = [&](int l0, int c0, int l1, int c1, const char* text) {
    return document.apply({{"range", {{"start", {{"line", l0}, {"character", c0}}}, {"end", {{"line", l1}, {"character", c1}}}}}, {"text", text}}).has_value();
  };
  CHECK(edit(1, 2, 1, 2, "x"));
  CHECK(document.text == "a\n\xf0\x9f\x90\x82x = 1\n");
  CHECK(edit(0, 0, 1, 0, ""));
  CHECK(document.text == "\xf0\x9f\x90\x82x = 1\n");
  CHECK(edit(9, 9, 9, 9, "end"));
  CHECK(document.text.ends_with("\nend"));
  CHECK(document.apply({{"text", "whole"}}));
  CHECK(document.text == "whole");
  CHECK_FALSE(edit(0, 3, 0, 1, ""));
  for (const json& bad : {json(1), json::object(), json{{"text", 1}}, json{{"text", ""}, {"range", {{"start", 1}}}}, json{{"text", ""}, {"range", {{"start", {{"line", -1}, {"character", 0}}}}}}}) {
    CHECK_FALSE(document.apply(bad));
  }
  CHECK(document.text == "whole");
  CHECK_FALSE(document.apply({{"text", std::string(max_document_bytes + 1, 'x')}}));
}

TEST_CASE("document: names of URIs") {
  CHECK(name_of_uri("file:///a%20b/c.hcl") == "/a b/c.hcl");
  CHECK(name_of_uri("untitled:1") == "untitled:1");
  CHECK(name_of_uri("file:///%zz%2") == "/%zz%2");
}
