#include "sdk/device/device.h"

namespace drover::device {

Async<Result<>> DevicePlugin::owner_hint(Owner, DeviceSet) { co_return fail(Code::unimplemented, "OwnerHint is not supported by this plugin"); }

Async<Result<>> DevicePlugin::release(Owner, DeviceSet) { co_return fail(Code::unimplemented, "Release is not supported by this plugin"); }

}  // namespace drover::device
