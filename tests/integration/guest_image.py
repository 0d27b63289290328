"""A disk image for QEMU made of packages: the cloud kernel, busybox and SYSLINUX on a FAT file system. Booted, it answers HTTP on
port 80 with what it was given, and powers off when its button is pressed."""
import glob
import gzip
import os
import shutil
import subprocess

import harness

MODULES = ['button', 'evdev', 'virtio_net', 'virtio_pci']
INIT = '''#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod $module; done
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
httpd -p 80 -h /www
for device in /dev/input/event*; do
  (head -c 24 $device >/dev/null; echo "guest powers off"; poweroff -f) &
done
echo "guest is ready"
while :; do sleep 3600; done
'''


def need(*tools):
    missing = [tool for tool in tools if not shutil.which(tool, path=os.environ['PATH'] + ':/usr/sbin:/sbin')]
    if missing:
        raise harness.Skip(f'needs {", ".join(missing)}: packages qemu-system-x86, busybox-static, syslinux, mtools, dosfstools and cpio')


def is_static(path):
    try:
        with open(path, 'rb') as file:
            return b'/ld-linux' not in file.read(4096)  # the interpreter's name follows the headers
    except OSError:
        return False


def kernel_tree(cache):
    """The unpacked package of the cloud kernel; downloaded once by the machine's own APT."""
    tree = os.path.join(cache, 'kernel')
    if os.path.isdir(tree):
        return tree
    os.makedirs(cache, exist_ok=True)

    def download():
        depends = subprocess.run(['apt-cache', 'depends', 'linux-image-cloud-amd64'], capture_output=True, text=True, check=False).stdout
        names = [line.split()[-1] for line in depends.splitlines() if 'Depends:' in line and 'linux-image-' in line]
        if not names:
            return False
        return subprocess.run(['apt-get', '-q', 'download', '-o', 'APT::Sandbox::User=root', names[0]], cwd=cache, capture_output=True,
                              check=False).returncode == 0
    if not download():
        subprocess.run(['apt-get', '-q', 'update'], capture_output=True, check=False)
        if not download():
            raise harness.Skip('the package of the cloud kernel (linux-image-cloud-amd64) cannot be downloaded')
    package = glob.glob(f'{cache}/linux-image-*.deb')[0]
    subprocess.run(['dpkg-deb', '-x', package, tree + '~'], check=True)
    os.remove(package)
    os.rename(tree + '~', tree)
    return tree


def with_dependencies(modules, names):
    """Paths of the named modules below `modules` (lib/modules/<version>), each after those it needs."""
    depends = {}
    for path in glob.glob(f'{modules}/kernel/**/*.ko', recursive=True):
        depends[os.path.basename(path)[:-3].replace('-', '_')] = path
    out = []

    def add(name):
        path = depends[name]
        if path in out:
            return
        said = subprocess.run(['modinfo', '-F', 'depends', path], capture_output=True, text=True, check=True).stdout.strip()
        for other in filter(None, said.split(',')):
            add(other.replace('-', '_'))
        out.append(path)
    for name in names:
        add(name)
    return out


def make(directory, answer):
    """The path of a new image below `directory` whose page says `answer`."""
    need('qemu-system-x86_64', 'syslinux', 'mcopy', 'mkfs.vfat', 'cpio', 'modinfo')
    busybox = '/bin/busybox'
    if not is_static(busybox):
        raise harness.Skip('needs a static /bin/busybox: package busybox-static')
    kernel = kernel_tree(os.path.join(harness.BUILD, 'vm'))
    root = os.path.join(directory, 'initrd')
    for name in ('bin', 'www', 'modules'):
        os.makedirs(os.path.join(root, name))
    shutil.copy(busybox, os.path.join(root, 'bin/busybox'))
    for number, path in enumerate(with_dependencies(glob.glob(f'{kernel}/lib/modules/*')[0], MODULES)):
        shutil.copy(path, os.path.join(root, 'modules', f'{number:02}-{os.path.basename(path)}'))
    for name, text in (('init', INIT), ('www/index.html', answer)):
        with open(os.path.join(root, name), 'w', encoding='ascii') as file:
            file.write(text)
    os.chmod(os.path.join(root, 'init'), 0o755)
    names = '\n'.join(os.path.relpath(os.path.join(base, name), root) for base, folders, files in os.walk(root) for name in folders + files)
    archive = subprocess.run(['cpio', '-o', '-H', 'newc', '--quiet'], cwd=root, input=names.encode(), capture_output=True, check=True).stdout
    with gzip.open(os.path.join(directory, 'initrd.gz'), 'wb', 1) as file:
        file.write(archive)
    with open(os.path.join(directory, 'syslinux.cfg'), 'w', encoding='ascii') as file:
        file.write('DEFAULT linux\nLABEL linux\n  KERNEL linux\n  INITRD initrd.gz\n  APPEND console=ttyS0 quiet panic=-1\n')
    image = os.path.join(directory, 'guest.img')
    run = {'cwd': directory, 'check': True, 'stdout': subprocess.DEVNULL}
    subprocess.run(['mkfs.vfat', '-C', image, str(24 << 10)], env={'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin'}, **run)
    linux = glob.glob(f'{kernel}/boot/vmlinuz-*')[0]
    for source, target in ((linux, 'linux'), ('initrd.gz', 'initrd.gz'), ('syslinux.cfg', 'syslinux.cfg')):
        subprocess.run(['mcopy', '-i', image, source, f'::{target}'], **run)
    subprocess.run(['syslinux', '--install', image], **run)
    return image
