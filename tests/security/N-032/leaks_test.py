"""Tasks and sessions leave no descriptor in the driver."""
import os

from tasks import equal


def count(node):
    return len(os.listdir(f'/proc/{node.process.pid}/fd'))


def N_032_descriptors_of_the_driver(node):
    node.run('true')
    before = count(node)
    for index in range(30):
        node.run('true')
        node.run('true', command='/no/such')
    task = node.start('echo up; exec sleep 1000').until('up')
    for _ in range(30):
        task.exec('true')
    node.finish(task)
    equal(count(node), before)
