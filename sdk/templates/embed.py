#!/usr/bin/env python3
"""embed.py OUTPUT.cc DEPFILE TEMPLATES PROTOS: the templates and the protocol's files as text in a C++ file."""
import os
import sys

sys.path.insert(0, sys.argv[4])
from for_authors import rewritten  # noqa: E402

LANGUAGES = ('common', 'cpp', 'go', 'python')


def main():
    output, depfile, templates, protos = sys.argv[1:]
    read, entries = [templates], []
    for language in LANGUAGES:
        for base, _, names in os.walk(os.path.join(templates, language)):
            read.append(base)
            for name in names:
                if name.endswith('.pyc'):
                    continue
                path = os.path.join(base, name)
                read.append(path)
                with open(path, encoding='utf-8') as file:
                    entries.append((os.path.relpath(path, templates), file.read()))
    for name in ('base', 'device', 'driver', 'goplugin', 'hclspec', 'health', 'structs'):
        path = os.path.join(protos, name + '.proto')
        read.append(path)
        with open(path, encoding='utf-8') as file:
            entries.append((f'proto/{name}.proto', rewritten(file.read())))
    with open(output, 'w', encoding='utf-8') as file:
        file.write('// Made by embed.py.\n#include "sdk/templates/templates.h"\n\nnamespace drover::templates {\n\nconst std::vector<File>& embedded() {\n')
        file.write('  static const std::vector<File> all = {\n')
        for path, text in sorted(entries):
            assert ')embedded"' not in text
            file.write(f'    {{"{path}", R"embedded({text})embedded"}},\n')
        file.write('  };\n  return all;\n}\n\n}  // namespace drover::templates\n')
    with open(depfile, 'w', encoding='utf-8') as file:
        file.write(f'{output}: {" ".join(read)}\n')


main()
