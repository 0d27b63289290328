#!/usr/bin/env python3
"""Replays the recordings of tests/golden/streams against fresh agents and counts agreement, topic by topic.

usage: replay_streams.py [--folder DIR] [--ratchet FILE [--accept]] [--show N] [--only TOPIC]

BUILD names the build directory, GOLDEN_DIR another directory of tests/golden's layout whose rows are counted instead. Values are matched
as in replay_api.py. Times are not compared, but their order is: what the recorder did after so many seconds is done here when what was
recorded before it has arrived; of heartbeats it counts whether there are any. A row that no scenario plays is counted as not played."""
import argparse
import json
import os
import sys

import replay_api
from replay_api import Mismatch
from stream_player import Agents, NotBuilt, NotPlayed, harness
from stream_topics import TOPICS
import stream_cluster

HERE = os.path.dirname(os.path.abspath(__file__))


def play_topic(topic, rows):
    outcome = replay_api.Outcome()
    with Agents() as agents:
        for name, play in TOPICS[topic](agents.player, rows):
            try:
                play()
                outcome.agreed.append(f'{topic}/{name}')
            except NotPlayed as missing:
                outcome.not_reached.append((f'{topic}/{name}', str(missing)))
            except NotBuilt:
                outcome.not_built.append((f'{topic}/{name}', 'not built'))
            except Mismatch as mismatch:
                outcome.failed.append((f'{topic}/{name}', str(mismatch)))
            except (OSError, harness.Failure, ValueError) as error:
                outcome.failed.append((f'{topic}/{name}', f'no answer: {error!r}'))
    return outcome


def main():
    parser = argparse.ArgumentParser(description='Replays the recorded streams against fresh agents.')
    parser.add_argument('--folder', default=os.path.join(os.environ.get('GOLDEN_DIR') or HERE, 'streams'))
    parser.add_argument('--ratchet')
    parser.add_argument('--accept', action='store_true', help='write the ratchet file')
    parser.add_argument('--show', type=int, default=0, help='differences to print')
    parser.add_argument('--only', default='', help='a topic')
    options = parser.parse_args()
    if os.geteuid() != 0:
        print('streams: needs root')
        return 77
    harness.become_reaper()
    whole = replay_api.Outcome()
    for topic in TOPICS:
        path = os.path.join(options.folder, topic + '.json')
        if options.only not in topic or not os.path.exists(path):
            continue
        with open(path, encoding='utf-8') as file:
            recorded = json.load(file)
        rows = {row['name']: row for row in recorded['rows']}
        stream_cluster.QUERIES.update(recorded.get('queries', {}))
        outcome = play_topic(topic, rows)
        played = len(outcome.agreed) + len(outcome.failed)
        print(f'{topic}: {len(outcome.agreed)} of {played} rows agree (of {len(rows)} recorded)', flush=True)
        for name, why in outcome.failed[:options.show]:
            print(f'  {name}: {why[:600]}')
        whole.agreed += outcome.agreed
        whole.failed += outcome.failed
        whole.not_built += outcome.not_built
        whole.not_reached += outcome.not_reached
    if not options.ratchet or os.environ.get('GOLDEN_DIR') or options.only:
        return 0
    lost = replay_api.check_ratchet(options.ratchet, whole, options.accept)
    for line in lost:
        print(f'no longer agrees: {line}')
    return 1 if lost else 0


if __name__ == '__main__':
    sys.exit(main())
