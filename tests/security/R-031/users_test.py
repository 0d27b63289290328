"""User ids are whole numbers in range or names, never a guess."""
import os

from tasks import contains, equal, expect


def R_031_numbers_that_wrap_or_look_like_others(node):
    for user in ('4294967295', '4294967296', '-1', '0x0', ' 0', '+0', '1e3', 'nobody:', 'no-such-user', '99999999999999999999', 'x' * (1 << 20)):
        ended = node.run('id -u', user=user)
        expect(ended.error != '', f'user {user[:40]!r} was taken for {ended.out!r}')


def R_031_numbers_and_groups(node):
    equal(node.run('id -u; id -g; id -G', user='12345:6789').out, '12345\n6789\n6789\n')
    equal(node.run('id -u; id -G', user='4294967294').lines[0], '4294967294')
    # Groups of the driver are nobody else's.
    other = type(node)(os.path.dirname(os.path.dirname(os.path.dirname(node.executor))), node.base + '/other', ['setpriv', '--groups=4,20'])
    equal(other.run('id -G', user='12345:6789').out, '6789\n')
    equal(other.run('id -G', user='root').out, node.run('id -G', user='root').out)
    other.close()


def R_031_denied_ids(node):
    node.driver('exec', denied_host_uids='0,100-200', denied_host_gids='5')
    equal(node.run('true', user='root').error, 'running as uid 0 is disallowed')
    equal(node.run('true', user='150:150').error, 'running as uid 150 is disallowed')
    equal(node.run('true', user='300:5').error, 'running as gid 5 is disallowed')
