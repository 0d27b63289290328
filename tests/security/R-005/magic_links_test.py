"""A command is not looked up through a magic link."""
import os

from tasks import contains, equal, expect


def R_005_command_is_no_magic_link(node):
    for name in ('/proc/self/fd/5', '/proc/self/exe', '/proc/1/exe'):
        contains(node.run(command=name, args=[]).error, name)
    node.driver('raw_exec')
    for name in ('/proc/self/exe', '/proc/self/cwd/x'):
        expect(node.run(command=name, args=[]).error != '', f'{name} was run')


def R_005_link_to_a_magic_link(node):
    alloc = node.allocation()
    os.symlink('/proc/self/exe', alloc.path + '/web/local/tool')
    contains(node.run(alloc=alloc, command='tool', args=[]).error, 'was found neither')
    node.driver('raw_exec')
    contains(node.run(alloc=alloc, command='tool', args=[]).error, 'executing')
