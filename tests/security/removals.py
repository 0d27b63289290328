"""What takes each rule out of the sources, and the tests that must then fail: see without_rules.py.

(test, why it must fail, [(file, text, what stands there instead), ...]). A text occurs once in its file."""

EXEC, EXECUTOR, SHARED, STAGES = 'plugins/exec/', 'plugins/executor/', 'plugins/shared/', 'plugins/executor/stages/'

REMOVALS = [
    ('F_14', 'what the task leaves behind is not looked for', [
        (EXECUTOR + 'task_end.cc', '    if (pid > 1) ::kill(pid, SIGKILL);', '')]),
    ('F_16_orphans', 'process 1 waits for the program only', [
        (STAGES + 'init.cc', '::waitpid(-1, &status, WNOHANG)', '::waitpid(program, &status, WNOHANG)')]),
    ('F_16_signals', 'process 1 keeps signals to itself', [
        (STAGES + 'init.cc', 'if (number > 0 && number != SIGCHLD) ::kill(program, number);', '')]),
    ('F_18_output', 'the end is told before the pipes are read', [
        (EXECUTOR + 'task_end.cc', 'round < 64 && log.active()', 'round < 0 && log.active()')]),
    ('F_21_a_full_disk', 'a full disk blocks the task', [
        (EXECUTOR + 'log_stream.cc', '  return drop();', '  return Moved::nothing_now;')]),
    ('F_44', 'the directory of the allocation is not asked for', [
        (EXEC + 'driver.cc', 'if (missing) return fail(Code::not_found,', 'if (false) return fail(Code::not_found,')]),
    ('F_82', 'the end of the machine is nothing to an executor', [
        (EXECUTOR + 'task_end.cc', '  if (sender != 1) return false;', '  return false;')]),
    ('F_82', 'any SIGTERM is the end of the machine', [
        (EXECUTOR + 'task_end.cc', '  if (sender != 1) return false;', '  return true;')]),
    ('L_02', 'the report of a launch is read twice, and what is said after the end counts', [
        (EXECUTOR + 'executor.cc', '  if (!launch_report_) return;\n  Report', '  Report'),
        (SHARED + 'executor_task.cc', 'if (!status || ended()) return;', 'if (!status) return;')]),
    ('N_001_logs', 'a link in place of the log directory is followed', [
        (SHARED + 'launch_spec.cc', 'O_RDONLY | O_DIRECTORY | O_NOFOLLOW);', 'O_RDONLY | O_DIRECTORY);')]),
    ('N_001_directories', 'a link in place of a directory of the task is followed', [
        (STAGES + 'mount_sources.cc', 'if (S_ISLNK(info.st_mode)) return {ELOOP, m.source};', ''),
        (STAGES + 'mount_sources.cc', '::open(m.source, O_PATH | O_NOFOLLOW | O_CLOEXEC)', '::open(m.source, O_PATH | O_CLOEXEC)')]),
    ('N_002_a_log_in', 'whatever has the name of a log is one', [
        (EXECUTOR + 'log_stream.cc', 'S_ISREG(info.st_mode) && info.st_nlink == 1;', 'true;'),
        (EXECUTOR + 'log_stream.cc', 'O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK', 'O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK')]),
    ('N_002_the_next', 'whatever has the name of a log is one', [
        (EXECUTOR + 'log_stream.cc', 'S_ISREG(info.st_mode) && info.st_nlink == 1;', 'true;'),
        (EXECUTOR + 'log_stream.cc', 'O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK', 'O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK')]),
    ('N_002_log_settings', 'a link is followed to the settings', [
        (SHARED + 'log_settings.cc', 'O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC', 'O_RDONLY | O_NONBLOCK | O_CLOEXEC')]),
    ('N_002_a_task_cannot_write', 'alloc/logs is writable in the task', [
        (EXEC + 'rootfs.cc', 'flags::read_only | flags::nosuid | flags::nodev | flags::plain_target | flags::plain_source', 'flags::nosuid | flags::nodev | flags::plain_target | flags::plain_source')]),
    ('N_002_a_fifo', 'the driver waits for a reader', [
        (SHARED + 'launch_spec.cc', 'auto fd = open_file(target, O_WRONLY | O_NONBLOCK);', 'auto fd = open_file(target, O_WRONLY);')]),
    ('N_009_hostile_names', 'names may lead out', [
        (EXEC + 'tar.cc', 'if (part == "..") return fail(Code::invalid_argument, "\\"{}\\" leads out of the root", name);', '')]),
    ('N_009_writing_through', 'links of the archive are made at once and followed', [
        (EXEC + 'tar.cc', "case '1': case '2': links_.push_back(member); return {};", "case '1': case '2': return make_link(member);"),
        (EXEC + 'tar.cc', 'Fd next(::openat(at.get(), parts[i].c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));', 'Fd next(::openat(at.get(), parts[i].c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));')]),
    ('N_009_devices', 'entries of any type are passed over', [
        (EXEC + 'tar.cc', 'default: return fail(Code::invalid_argument, "devices, FIFOs and entries of type \\"{}\\" are refused", member.type);', 'default: return {};')]),
    ('N_009_not_a_tar', 'checksums are not looked at', [
        (EXEC + 'tar.cc', '*wanted != sum || ', 'false || ')]),
    ('N_009_a_good', 'a whole archive counts as damaged', [
        (EXEC + 'tar.cc', '*wanted != sum || ', '*wanted == sum || ')]),
    ('N_014_rootfs', 'rootfs is any path', [
        (EXEC + 'rootfs.cc', 'O_PATH, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS) : -1);', 'O_PATH, 0, 0) : -1);')]),
    ('N_014_mount_targets', 'a target of a mount follows links of the task out of the root', [
        (STAGES + 'mount_tree.cc', 'std::uint64_t out = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;', 'std::uint64_t out = 0;'),
        (EXEC + 'driver.cc', "if (!mount.task_path.starts_with('/'))", 'if (false)')]),
    ('N_014_commands', 'a command is looked up through links out of the root', [
        (EXEC + 'rootfs.cc', 'RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;', '0;')]),
    ('N_020_what_a_locked', 'a job chooses namespaces of the host', [
        (EXEC + 'config.cc', 'if (config.allow_host_namespaces) return {};', 'return {};')]),
    ('N_020_what_an', 'every client is a locked one', [
        (EXEC + 'config.cc', 'if (config.allow_host_namespaces) return {};', '')]),
    ('N_022_an_ordinary', 'whatever is asked for is given', [
        (SHARED + 'capabilities.cc', 'if (!refused.empty()) return fail(', 'if (false) return fail(')]),
    ('N_022_no_raw', 'an ordinary user has what root had', [
        (SHARED + 'capabilities.cc', 'if (request.is_root) base =', 'base =')]),
    ('N_022_what_is_allowed', 'a list of what is allowed says nothing to root', [
        (SHARED + 'capabilities.cc', 'request.is_allowed_explicitly ?', 'false ?')]),
    ('N_023_namespaces', 'no pid namespace', [
        (EXECUTOR + 'executor.cc', 'if (spec.has(flag::pid_namespace)) args.flags |= CLONE_NEWPID;', '')]),
    ('N_023_namespaces', 'no ipc namespace', [
        (EXECUTOR + 'executor.cc', 'if (spec.has(flag::ipc_namespace)) args.flags |= CLONE_NEWIPC;', '')]),
    ('N_023_sessions', 'a session joins no ipc namespace', [
        (STAGES + 'namespaces.cc', 'if ((child.namespaces & flag::ipc_namespace) != 0) flags |= CLONE_NEWIPC;', '')]),
    ('N_023_processes', 'no pid namespace', [
        (EXECUTOR + 'executor.cc', 'if (spec.has(flag::pid_namespace)) args.flags |= CLONE_NEWPID;', '')]),
    ('N_024_effective', 'a default becomes another', [
        (EXEC + 'config.cc', 'plugin::get_bool(*json, "no_new_privs", true)', 'plugin::get_bool(*json, "no_new_privs", false)')]),
    ('N_027_a_set_uid', 'the task directory may hold set-uid programs', [
        (STAGES + 'mounts.cc', 'attributes.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;', 'attributes.attr_set = 0;'),
        (STAGES + 'confine.cc', 'child.spec.has(flag::no_new_privs) && ', 'false && ')]),
    ('N_027_mount_flags', 'the task directory is an ordinary mount', [
        (STAGES + 'mounts.cc', 'attributes.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;', 'attributes.attr_set = 0;')]),
    ('N_028_each_mode', 'the bounding set stays', [
        (STAGES + 'capabilities.cc', 'if (present == 1 && !wanted && ', 'if (false && ')]),
    ('N_028_dropped', 'the task has what its user could not keep', [
        (STAGES + 'capabilities.cc', 'if (present == 1 && !wanted && ', 'if (false && '),
        (STAGES + 'capabilities.cc', 'const std::uint64_t mask = child.spec.rights.capabilities;', 'const std::uint64_t mask = ~std::uint64_t{0};')]),
    ('N_028_the_executor', 'the executor keeps all it had', [
        (EXECUTOR + 'own_rights.cc', '  if ((flags_ & flag::set_capabilities) == 0 || ::geteuid() != 0) return;', '  return;')]),
    ('N_029', 'attributes are inherited', [
        (STAGES + 'attributes.cc', '  reset_inherited();\n  if (::setsid', '  if (::setsid')]),
    ('N_029', 'signals are inherited', [
        (STAGES + 'exec.cc', '  reset_signals();\n  if (child.waits)', '  if (child.waits)')]),
    ('N_031', 'a number is killed without a look at when it began', [
        (SHARED + 'executor_task.cc', 'if (ticks && *ticks != record.start_ticks) return;', '')]),
    ('N_032', 'the connection of a task stays open', [
        (SHARED + 'executor_task.cc', 'if (task->reaped_) task->connection_.reset();', 'if (task->reaped_) static_cast<void>(task->connection_.release());')]),
    ('R_001_executor_is', 'the executor may be dumped', [
        (EXECUTOR + 'executor.cc', '::prctl(PR_SET_DUMPABLE, 0);', '')]),
    ('R_001_executor_runs', 'the executor runs from where it was installed', [
        (SHARED + 'executor_binary.cc', 'MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID', 'MOUNT_ATTR_NOSUID')]),
    ('R_002_executor_is', 'the executor is linked as any program', [
        (EXECUTOR + 'meson.build', "executor_link_args = ['-static']", 'executor_link_args = []'),
        (EXECUTOR + 'meson.build', "host_machine.cpu_family() == 'x86_64' and", 'false and')]),
    ('R_002_executor_has', 'the executor gets an environment', [
        (SHARED + 'executor_task.cc', '.environment = {}, .directory', '.environment = {"A=b"}, .directory')]),
    ('R_003_descriptors_of_a', 'what the executor was given is the task\'s too', [
        (STAGES + 'exec.cc', 'if (close_from(3, CLOSE_RANGE_CLOEXEC) != 0) return failed("close_range");', 'if (::fcntl(child.report_fd, F_SETFD, 0) != 0 || ::dup2(2, 9) < 0) return failed("close_range");')]),
    ('R_003_descriptors_of_sessions', 'process 1 is open to the task', [
        (STAGES + 'init.cc', '::prctl(PR_SET_DUMPABLE, 0);', ''),
        (EXECUTOR + 'executor.cc', '::prctl(PR_SET_DUMPABLE, 0);', ''),
        (STAGES + 'exec.cc', '  for (int fd = 0; fd < 3; ++fd) ::close(fd);\n', '')]),
    ('R_003_descriptors_that', 'nobody on the way to the task closes anything', [
        ('sdk/async/process.cc', 'for (const auto& [target, source] : wanted) launcher.fd_whitelist.push_back(target);',
         'for (int fd = 3; fd < 1024; ++fd) launcher.fd_whitelist.push_back(fd);'),
        (EXECUTOR + 'executor.cc', 'if (close_from(first_extra_fd, CLOSE_RANGE_CLOEXEC) != 0) return failed("inherited descriptors");', ''),
        (STAGES + 'exec.cc', 'if (close_from(3, CLOSE_RANGE_CLOEXEC) != 0) return failed("close_range");', '')]),
    ('R_004_work_dir_is', 'the directory is reached through magic links', [
        (STAGES + 'exec.cc', 'O_PATH | O_DIRECTORY, 0, RESOLVE_NO_MAGICLINKS', 'O_PATH | O_DIRECTORY, 0, 0'),
        (STAGES + 'exec.cc', "return buffer[0] == '/' ? Failure{} : Failure{EXDEV, path};", 'return {};')]),
    ('R_004_work_dir_link', 'the directory is reached through magic links', [
        (STAGES + 'exec.cc', 'O_PATH | O_DIRECTORY, 0, RESOLVE_NO_MAGICLINKS', 'O_PATH | O_DIRECTORY, 0, 0'),
        (STAGES + 'exec.cc', "return buffer[0] == '/' ? Failure{} : Failure{EXDEV, path};", 'return {};')]),
    ('R_004_work_dir_of_raw', 'the directory is reached through magic links', [
        (STAGES + 'exec.cc', 'O_PATH | O_DIRECTORY, 0, RESOLVE_NO_MAGICLINKS', 'O_PATH | O_DIRECTORY, 0, 0'),
        (STAGES + 'exec.cc', "return buffer[0] == '/' ? Failure{} : Failure{EXDEV, path};", 'return {};')]),
    ('R_005', 'a command is reached through magic links', [
        (STAGES + 'exec.cc', 'open_beneath(AT_FDCWD, path, O_PATH, 0, RESOLVE_NO_MAGICLINKS)', 'open_beneath(AT_FDCWD, path, O_PATH, 0, 0)'),
        (EXEC + 'rootfs.cc', 'RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;', '0;')]),
    ('R_011_copies_by', 'a copy is set-uid as its original', [
        (EXEC + 'tree_copy.cc', '::fchmod(to.get(), info.st_mode & 0777)', '::fchmod(to.get(), info.st_mode & 07777)')]),
    ('R_011_copies_follow', 'a link in the way is followed', [
        (EXEC + 'tree_copy.cc', 'Fd out(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));', 'Fd out(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));')]),
    ('R_012_root', 'the root is reached by a link', [
        (STAGES + 'mounts.cc', 'open_beneath(AT_FDCWD, spec.root, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS)', 'open_beneath(AT_FDCWD, spec.root, O_PATH | O_DIRECTORY, 0, 0)')]),
    ('R_013_links_files', 'a link to a directory is one', [
        (EXEC + 'rootfs.cc', 'out.flags = bits | flags::plain_target;', 'out.flags = bits;')]),
    ('R_018', 'the executor is linked as any program', [
        (EXECUTOR + 'meson.build', "executor_link_args = ['-static']", 'executor_link_args = []'),
        (EXECUTOR + 'meson.build', "host_machine.cpu_family() == 'x86_64' and", 'false and')]),
    ('R_020_oom', 'the score is not written', [
        (STAGES + 'attributes.cc', 'set_oom_score(child.spec.oom_score_adj)', 'set_oom_score(0)')]),
    ('R_020_a_file', 'whatever takes the score is procfs', [
        (STAGES + 'attributes.cc', 'if (info.f_type != PROC_SUPER_MAGIC) return {EXDEV, path};', ''),
        (STAGES + 'attributes.cc', 'return same ? Failure{} : Failure{EIO, path};', 'return {};')]),
    ('R_023_cgroup', 'no cgroup namespace', [
        (STAGES + 'namespaces.cc', 'spec.has(flag::cgroup_namespace) && ::unshare', 'false && ::unshare')]),
    ('R_023_nothing', 'the cgroup is writable in the task', [
        (EXEC + 'rootfs.cc', '"/sys/fs/cgroup", {}, flags::read_only | ', '"/sys/fs/cgroup", {}, ')]),
    ('R_024_no_process', 'neither the cgroup is killed nor what the executor adopts', [
        (EXECUTOR + 'task_end.cc', 'if (file && ::write(file.get(), "1", 1) == 1 && !task_ended_) return;', 'if (file) {}'),
        (EXECUTOR + 'task_end.cc', '    if (pid > 1) ::kill(pid, SIGKILL);', '')]),
    ('R_030_sets', 'the permitted set stays', [
        (STAGES + 'capabilities.cc', '  if (!child.spec.has(flag::set_capabilities)) return {};\n  const std::uint64_t mask', '  if (child.spec.has(flag::set_capabilities)) return {};\n  const std::uint64_t mask')]),
    ('R_030_inheritable', 'what root has is inheritable', [
        (STAGES + 'capabilities.cc', 'const std::uint64_t inheritable = ambient ? keep : 0;', 'const std::uint64_t inheritable = keep;')]),
    ('R_030_add_and_drop', 'cap_drop does nothing', [
        (SHARED + 'capabilities.cc', 'return (base & ~*drop) | *add;', 'return base | *add;')]),
    ('R_030_a_session', 'a session has all capabilities', [
        (EXECUTOR + 'session.cc', 'flag::set_user | flag::die_with_executor | flag::set_capabilities |', 'flag::set_user | flag::die_with_executor |')]),
    ('R_031_numbers_that', 'a number may go on with anything', [
        (SHARED + 'users.cc', '|| parsed.ptr != text.data() + text.size() || text.empty()) return std::nullopt;\n  if (out', ') return std::nullopt;\n  if (out')]),
    ('R_031_numbers_and', 'supplementary groups are the driver\'s', [
        (STAGES + 'user.cc', 'if (set_groups(user.group_count, user.groups) != 0) return failed("supplementary groups");', '')]),
    ('R_031_denied', 'denied ids are not looked at', [
        (EXEC + 'driver.cc', 'DROVER_TRY(check_ids(account->ids, config_.denied_host_uids, config_.denied_host_gids));', '')]),
    ('R_032_root', 'the user namespace is not entered', [
        (STAGES + 'capabilities.cc', 'child.spec.user_namespace_fd >= 0 && ::setns', 'false && ::setns')]),
    ('R_032_rights', 'the user namespace is not entered', [
        (STAGES + 'capabilities.cc', 'child.spec.user_namespace_fd >= 0 && ::setns', 'false && ::setns')]),
    ('R_033_no_new', 'no_new_privs is not set', [
        (STAGES + 'confine.cc', 'child.spec.has(flag::no_new_privs) && ', 'false && ')]),
    ('R_033_a_set_uid', 'no_new_privs is not set', [
        (STAGES + 'confine.cc', 'child.spec.has(flag::no_new_privs) && ', 'false && ')]),
    ('R_034', 'the session keyring is the driver\'s', [
        (STAGES + 'attributes.cc', '::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);', '')]),
    ('R_035_limits', 'limits are not set', [
        (STAGES + 'capabilities.cc', 'i < rights.limit_count; ++i', 'i < 0; ++i')]),
    ('R_035_a_session', 'a session has no limits', [
        (EXECUTOR + 'session.cc', '    own.rights = rights_;\n', '    own.rights = rights_;\n    own.rights.limit_count = 0;\n')]),
    ('R_040_masked', 'nothing is masked', [
        (EXEC + 'rootfs.cc', '  for (const char* path : masked) {', '  for (const char* path : masked) {\n    if (path != nullptr) break;')]),
    ('R_040_kernel', 'nothing is read-only', [
        (EXEC + 'rootfs.cc', '  for (const char* path : read_only) {', '  for (const char* path : read_only) {\n    if (path != nullptr) break;')]),
    ('R_042_the_filter', 'the filter lets TIOCSTI through', [
        (SHARED + 'seccomp.cc', '{std::uint64_t{TIOCSTI}, std::uint64_t{TIOCLINUX}}', '{std::uint64_t{TIOCLINUX}}')]),
    ('R_043_nodes', 'the device program lets everything through', [
        (SHARED + 'device_program.cc', '  out.push_back(with_number(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0));', '  out.push_back(with_number(BPF_ALU64 | BPF_MOV | BPF_K, 0, 1));')]),
    ('R_043_a_device', 'permissions of a device say nothing', [
        (SHARED + 'device_program.cc', 'if (rule.access != DeviceRule::all) {', 'if (false) {')]),
    ('R_043_the_usual', 'a device is forgotten', [
        (SHARED + 'device_program.cc', 'Numbers{1, 3}, {1, 5}, ', 'Numbers{1, 3}, ')]),
    ('R_044_programs', 'a call that programs need is refused', [
        (SHARED + 'seccomp.cc', 'Guarded{"userfaultfd", CAP_SYS_PTRACE}, ', 'Guarded{"openat", CAP_SYS_PTRACE}, ')]),
    ('R_044_table', 'a call is forgotten', [
        (SHARED + 'seccomp.cc', 'Guarded{"userfaultfd", CAP_SYS_PTRACE}, ', '')]),
    ('R_044_new', 'unshare is let through', [
        (SHARED + 'seccomp.cc', 'DROVER_TRY(filter.add(refuse, "unshare", {SCMP_A0(SCMP_CMP_MASKED_EQ, kind, kind)}));', '')]),
    ('R_044_foreign', 'the filter is not installed', [
        (STAGES + 'exec.cc', 'if (rights.filter_size == 0) return {};', 'return {};')]),
    ('R_044_a_session', 'a session has no filter', [
        (EXECUTOR + 'session.cc', '  own.rights = task.rights;\n', '')]),
    ('R_044_a_task', 'the filter knows no capabilities', [
        (SHARED + 'seccomp.cc', 'const bool is_admin = has_capability(capabilities, CAP_SYS_ADMIN);', 'const bool is_admin = false;')]),
    ('R_045_a_profile', 'the error that a profile names is passed over', [
        (SHARED + 'seccomp_oci.cc', 'error_of(rule, "errnoRet", EPERM)', 'EPERM')]),
    ('R_045_profiles', 'a profile that cannot be read is none', [
        (SHARED + 'seccomp.cc', '    if (!text) return text;', '    if (!text) return std::string();')]),
    ('R_045_a_fifo', 'any file is a profile', [
        (SHARED + 'seccomp.cc', '::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)', '::open(path.c_str(), O_RDONLY | O_CLOEXEC)'),
        (SHARED + 'seccomp.cc', '!S_ISREG(info.st_mode)) return fail', 'false) return fail')]),
    ('R_045_a_job', 'a job chooses its profile', [
        (EXEC + 'config.cc', 'if (wanted.empty() || wanted == of_node) return of_node;', 'return wanted.empty() ? of_node : wanted;')]),
    ('R_046_only', 'Landlock is not applied', [
        (STAGES + 'confine.cc', 'return rights.landlock_count != 0 ? restrict_files(rights) : Failure{};', 'return {};')]),
    ('R_046_a_session', 'a session is not held', [
        (EXECUTOR + 'session.cc', '  own.rights = task.rights;\n', '')]),
    ('R_047_orphans', 'the executor is no reaper', [
        (EXECUTOR + 'executor.cc', 'if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return failed("subreaper");', '')]),
    ('R_047_the_task', 'the task outlives its executor', [
        (STAGES + 'exec.cc', 'if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return failed("parent-death signal");', '')]),
    ('R_050_nobody', 'the socket is open to everybody', [
        (EXECUTOR + 'control.cc', '::umask(0177)', '::umask(0)')]),
    ('R_052', 'the socket is named by its path', [
        (SHARED + 'executor_task.cc', 'fmt::format("/proc/self/fd/{}/{}", directory->get(), executor::socket_name);', '(state_path + "/" + executor::socket_name).substr(0, 100);')]),
    ('R_060_arguments', 'a specification of any size is written', [
        (SHARED + 'launch_spec.cc', 'if (bytes.size() > executor::max_spec_bytes) {', 'if (false) {')]),
    ('R_060_names', 'a text ends where it ends', [
        (SHARED + 'launch_spec.cc', "if (text.find('\\0') != std::string::npos) return true;", '')]),
    ('R_060_garbage', 'garbage is a command', [
        (EXECUTOR + 'serve.cc', 'if (reader.malformed() || number < 0 || number >= NSIG) return;', 'if (reader.malformed()) kill_everything();')]),
    ('R_061_many', 'sizes are passed over', [
        (SHARED + 'exec_session.cc', '::ioctl(session.output->native_handle(), TIOCSWINSZ, &wanted);', 'static_cast<void>(wanted);')]),
    ('R_061_output', 'output is kept whatever there is', [
        (SHARED + 'exec_session.cc', 'buffered_limit = 4u << 20', 'buffered_limit = 64u << 20')]),
    ('R_061_sessions', 'the connection of a session stays open', [
        (EXECUTOR + 'session.cc', '  session.report.reset();\n  session.started = true;', '  static_cast<void>(session.report.release());\n  session.started = true;')]),
]

# Without a removal, and why.
NOT_REMOVED = {
    'F_18_closed': 'shows that nothing is waited for',
    'F_21_a_log': 'what would take it away is the kernel keeping an open file',
    'N_024_a_missing': 'two ways to the same defaults, both from one table',
    'N_030': 'needs controllers: runs in the virtual machine', 'N_114': 'three layers hold it: the spawn gives 0, 1 and 2, the executor opens /dev/null, its spec needs them',
    'R_001_session': 'the kernel opens no program for writing that runs; the read-only mount has a test of its own',
    'R_012_directory': 'without the rule it would make directories in /etc of this machine; N_014_mount_targets fails when targets are not resolved in the root',
    'R_013_links_below': 'shows what lies below the private /dev', 'R_024_pids': 'needs controllers: runs in the virtual machine',
    'R_032_ranges': 'persistence of the allocator: unit tests of plugins/shared break it', 'R_040_a_planted': 'two layers hold it: the private /dev comes first, and the device is looked at',
    'R_040_masks_cannot': 'the kernel asks for SYS_ADMIN, which the task has not got; what the masks hide has a test of its own',
    'R_041': 'what it forbids, opening the peer by path, would open the same terminal unless somebody may mount', 'R_042_a_task': 'two layers hold it: the executor has no terminal either',
    'R_050_a_squatted': 'the directory is root\'s alone',
}
