#include <doctest/doctest.h>

#include "lib/http/url.h"
#include "lib/http/zip.h"

using namespace drover;
using namespace drover::http;

TEST_CASE("query: values are read as Go reads them") {
  const auto query = Query::parse("a=1&a=2&b&c=x+y%2Fz&bad=%zz&semi;x=1&=v");
  CHECK(query.get("a") == "1");
  CHECK(query.all("a") == std::vector<std::string>{"1", "2"});
  CHECK(query.has("b"));
  CHECK(query.get("b").empty());
  CHECK(query.get("c") == "x y/z");
  CHECK_FALSE(query.has("bad"));
  CHECK_FALSE(query.has("x"));
  CHECK(query.get("") == "v");
}

TEST_CASE("path: cleaned like Go's") {
  CHECK(clean_path("/v1//jobs") == "/v1/jobs");
  CHECK(clean_path("/v1/./jobs/") == "/v1/jobs/");
  CHECK(clean_path("/v1/a/../jobs") == "/v1/jobs");
  CHECK(clean_path("/../..") == "/");
  CHECK(clean_path("//") == "/");
}

TEST_CASE("address: every accepted form") {
  const auto plain = Address::parse("http://127.0.0.1:4646");
  REQUIRE(plain);
  CHECK(plain->host == "127.0.0.1");
  CHECK(plain->port == 4646);
  const auto six = Address::parse("https://[::1]/base/");
  REQUIRE(six);
  CHECK(six->kind == Address::Kind::https);
  CHECK(six->host == "::1");
  CHECK(six->port == 443);
  CHECK(six->path == "/base");
  CHECK(six->authority() == "[::1]:443");
  const auto local = Address::parse("unix:///run/api.sock");
  REQUIRE(local);
  CHECK(local->path == "/run/api.sock");
  CHECK(Address::parse("localhost:80")->host == "localhost");
  CHECK_FALSE(Address::parse("ftp://x"));
  CHECK_FALSE(Address::parse("http://x:99999"));
}

TEST_CASE("encoding: the first known name wins and q=0 refuses") {
  CHECK(choose_encoding("gzip") == Encoding::gzip);
  CHECK(choose_encoding("br, deflate, gzip;q=0.5") == Encoding::deflate);
  CHECK(choose_encoding("gzip;q=0") == Encoding::identity);
  CHECK(choose_encoding("identity") == Encoding::identity);
}

TEST_CASE("zip: what is packed comes out again, whole and in parts") {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i * 7919) + ",";
  for (const auto encoding : {Encoding::gzip, Encoding::deflate}) {
    for (const bool small : {true, false}) {
      Packer packer(encoding, small);
      for (int round = 0; round < 2; ++round) {
        Unpacker unpacker(encoding);
        std::string out;
        REQUIRE(unpacker.add(packer.pack(text), out, 1 << 20));
        CHECK(out == text);
      }
    }
    Packer packer(encoding);
    Unpacker unpacker(encoding);
    std::string packed;
    std::string out;
    packer.add("hello ", Packer::Mode::flush, packed);
    REQUIRE(unpacker.add(packed, out, 100));
    CHECK(out == "hello ");
    packed.clear();
    packer.add("world", Packer::Mode::end, packed);
    REQUIRE(unpacker.add(packed, out, 100));
    CHECK(out == "hello world");
    Unpacker bounded(encoding);
    std::string bomb;
    CHECK_FALSE(bounded.add(Packer(encoding).pack(std::string(100'000, 'a')), bomb, 1000));
  }
}
