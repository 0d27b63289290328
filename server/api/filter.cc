#include "server/api/filter.h"

#include "lib/bexpr/filter.h"
#include "lib/model/datum.h"

namespace drover::api {
namespace {

struct Adapter {
  std::unique_ptr<bexpr::Datum> operator()(const state::JobPtr& item) const { return model::to_datum(*item); }
  std::unique_ptr<bexpr::Datum> operator()(const state::EvalPtr& item) const { return model::to_datum(*item); }
  std::unique_ptr<bexpr::Datum> operator()(const state::AllocPtr& item) const { return model::to_datum(*item); }
  std::unique_ptr<bexpr::Datum> operator()(const state::DeploymentPtr& item) const { return model::to_datum(*item); }
  std::unique_ptr<bexpr::Datum> operator()(const state::NodePtr& item) const { return model::to_datum(*item); }
  std::unique_ptr<bexpr::Datum> operator()(const state::NodePoolPtr& item) const { return model::to_datum(*item); }
  std::unique_ptr<bexpr::Datum> operator()(const state::HostVolumePtr& item) const { return model::to_datum(*item); }
  std::unique_ptr<bexpr::Datum> operator()(const state::VolumeClaimPtr& item) const { return model::to_datum(*item); }
  // No list shows the others.
  template <class T>
  std::unique_ptr<bexpr::Datum> operator()(const T&) const { return nullptr; }
};

}  // namespace

Result<rpc::Matcher> parse_filter(std::string_view expression) {
  auto filter = bexpr::Filter::parse(expression);
  if (!filter) return fail(filter.error());
  return rpc::Matcher([filter = std::move(*filter)](const state::Object& object) -> Result<bool> {
    const auto datum = std::visit(Adapter{}, object);
    if (!datum) return fail(Code::invalid_argument, "objects of this kind cannot be filtered");
    return filter.match(*datum);
  });
}

}  // namespace drover::api
