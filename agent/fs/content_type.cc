#include <algorithm>
#include <cctype>

#include "agent/fs/alloc_files.h"

namespace drover::agent {
namespace {

using namespace std::string_view_literals;

bool starts_with_tag(std::string_view text, std::string_view tag) {
  if (text.size() <= tag.size()) return false;
  for (std::size_t i = 0; i < tag.size(); ++i)
    if (std::toupper(static_cast<unsigned char>(text[i])) != tag[i]) return false;
  return text[tag.size()] == ' ' || text[tag.size()] == '>';
}

}  // namespace

std::string sniff_content_type(std::string_view head) {
  head = head.substr(0, 512);
  const auto first = head.find_first_not_of("\t\n\f\r ");
  const std::string_view text = first == std::string_view::npos ? std::string_view() : head.substr(first);
  for (const auto tag : {"<!DOCTYPE HTML"sv, "<HTML"sv, "<HEAD"sv, "<SCRIPT"sv, "<IFRAME"sv, "<H1"sv, "<DIV"sv, "<FONT"sv, "<TABLE"sv,
                         "<A"sv, "<STYLE"sv, "<TITLE"sv, "<B"sv, "<BODY"sv, "<BR"sv, "<P"sv, "<!--"sv})
    if (starts_with_tag(text, tag)) return "text/html; charset=utf-8";
  if (text.starts_with("<?xml")) return "text/xml; charset=utf-8";
  static constexpr std::pair<std::string_view, const char*> exact[] = {
      {"%PDF-", "application/pdf"}, {"%!PS-Adobe-", "application/postscript"}, {"\xFE\xFF", "text/plain; charset=utf-16be"},
      {"\xFF\xFE", "text/plain; charset=utf-16le"}, {"\xEF\xBB\xBF", "text/plain; charset=utf-8"}, {"\0\0\1\0"sv, "image/x-icon"},
      {"BM", "image/bmp"}, {"GIF87a", "image/gif"}, {"GIF89a", "image/gif"}, {"\x89PNG\r\n\x1A\n", "image/png"},
      {"\xFF\xD8\xFF", "image/jpeg"}, {"OggS\0"sv, "application/ogg"}, {"ID3", "audio/mpeg"}, {"\x1F\x8B\x08", "application/x-gzip"},
      {"PK\x03\x04", "application/zip"}, {"Rar!\x1A\x07", "application/x-rar-compressed"}, {"\0asm"sv, "application/wasm"}};
  for (const auto& [signature, type] : exact)
    if (head.starts_with(signature)) return type;
  const bool binary = std::any_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x08 || byte == 0x0B || (byte >= 0x0E && byte <= 0x1A) || (byte >= 0x1C && byte <= 0x1F);
  });
  return binary ? "application/octet-stream" : "text/plain; charset=utf-8";
}

}  // namespace drover::agent
