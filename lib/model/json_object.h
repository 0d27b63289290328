// The members of a JSON object, in the order of the text: what nlohmann::basic_json takes as its type of objects.
//
// One vector whose elements move. The library's own ordered_map has constant keys, so that its vector copies whole trees
// whenever it grows. Members are found by looking at all of them: objects here are small.
#pragma once

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace drover::model {

template <class Key, class Value, class Less = std::less<>, class Allocator = void>
class JsonObject : public std::vector<std::pair<Key, Value>> {
 public:
  using Base = std::vector<std::pair<Key, Value>>;
  using key_type = Key;
  using mapped_type = Value;
  using key_compare = std::equal_to<>;
  using iterator = typename Base::iterator;
  using const_iterator = typename Base::const_iterator;
  using value_type = typename Base::value_type;
  using size_type = typename Base::size_type;

  using Base::Base;
  template <class Iterator>
  JsonObject(Iterator first, Iterator last) { insert(first, last); }

  template <class Name>
  [[nodiscard]] iterator find(const Name& name) { return std::find_if(this->begin(), this->end(), Named<Name>{name}); }
  template <class Name>
  [[nodiscard]] const_iterator find(const Name& name) const { return std::find_if(this->begin(), this->end(), Named<Name>{name}); }
  template <class Name>
  [[nodiscard]] size_type count(const Name& name) const { return find(name) == this->end() ? 0 : 1; }

  template <class Name>
  [[nodiscard]] Value& at(const Name& name) { return known(find(name), this->end())->second; }
  template <class Name>
  [[nodiscard]] const Value& at(const Name& name) const { return known(find(name), this->end())->second; }

  // One that is there stays as it is.
  template <class Name, class... Arguments>
  std::pair<iterator, bool> emplace(Name&& name, Arguments&&... arguments) {
    if (const auto found = find(name); found != this->end()) return {found, false};
    this->emplace_back(std::piecewise_construct, std::forward_as_tuple(std::forward<Name>(name)),
                       std::forward_as_tuple(std::forward<Arguments>(arguments)...));
    return {std::prev(this->end()), true};
  }
  template <class Name>
  Value& operator[](Name&& name) { return emplace(std::forward<Name>(name)).first->second; }

  std::pair<iterator, bool> insert(value_type value) { return emplace(std::move(value.first), std::move(value.second)); }
  template <class Iterator>
  void insert(Iterator first, Iterator last) {
    for (; first != last; ++first) emplace(first->first, first->second);
  }

  using Base::erase;
  size_type erase(const Key& name) {
    const auto found = find(name);
    if (found == this->end()) return 0;
    Base::erase(found);
    return 1;
  }

 private:
  template <class Name>
  struct Named {
    const Name& name;
    bool operator()(const value_type& member) const { return member.first == name; }
  };
  template <class Iterator>
  static Iterator known(Iterator at, Iterator end) {
    if (at == end) throw std::out_of_range("the JSON object has no such member");
    return at;
  }
};

}  // namespace drover::model
