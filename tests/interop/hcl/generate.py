"""Random expressions, templates and bodies of the language: `cases(seed, count)`. Most are well formed, many have a type that does not
fit, some are damaged in one place."""
import json
import random

STRINGS = ['"a"', '"b"', '""', '"7"', '"true"', '"x y"', '"é"', '"e\\u0301"', '"\\n"', '"a\\"b"', '"$${x}"', '"%%{x}"', '"\\U0001F1E9\\U0001F1EA"', '"0x1"', '"1e3"', '" 5"']
NUMBERS = ['0', '1', '2', '3', '10', '1.5', '0.1', '1e3', '2.50', '100000000000000000001', '1e-7', '0.30000000000000000000004', '12345678901234567890.5', '1E2', '1000000', '1234567.5']
VARIABLES = ['n', 'half', 's', 't', 'nul', 'nuls', 'list', 'nums', 'none', 'set', 'map', 'tup', 'obj', 'objs', 'unk', 'unks', 'unkl', 'unkm', 'nosuch']
LISTS = ['list', 'nums', 'none', 'set', 'tup', 'objs', 'unkl']
MAPS = ['map', 'obj', 'unkm']
BINARY = ['+', '-', '*', '/', '%', '==', '!=', '<', '<=', '>', '>=', '&&', '||']
# name: its arguments' kinds (s text, n number, l list, m map, x any, t type, y YAML); `*`: any number more of the last
FUNCTIONS = {
    'abs': 'n', 'ceil': 'n', 'chomp': 's', 'chunklist': 'ln', 'coalesce': 'x*', 'coalescelist': 'l*', 'compact': 'l', 'concat': 'l*',
    'contains': 'ls', 'convert': 'xt', 'distinct': 'l', 'element': 'ln', 'flatten': 'l', 'floor': 'n', 'format': 'fx*', 'formatlist': 'fl*',
    'indent': 'ns', 'index': 'lx', 'join': 'sl*', 'jsonencode': 'x', 'keys': 'm', 'length': 'l', 'lookup': 'msx', 'lower': 's', 'max': 'n*',
    'merge': 'm*', 'min': 'n*', 'parseint': 'sn', 'range': 'n*', 'regex_replace': 'sss', 'replace': 'sss', 'reverse': 's',
    'setintersection': 'l*', 'setproduct': 'l*', 'setunion': 'l*', 'signum': 'n', 'slice': 'lnn', 'sort': 'l', 'split': 'ss', 'strlen': 's',
    'substr': 'snn', 'title': 's', 'trim': 'ss', 'trimprefix': 'ss', 'trimspace': 's', 'trimsuffix': 'ss', 'try': 'x*', 'can': 'x', 'upper': 's',
    'values': 'm', 'zipmap': 'll', 'nosuch': 'x', 'jsondecode': 'j', 'timeadd': 'ds', 'formatdate': 'Dd', 'csvdecode': 'c',
    'yamldecode': 'y', 'yamlencode': 'x',
}
FORMATS = ['"%s"', '"%d-%s"', '"%v"', '"%#v"', '"%05d"', '"%.2f"', '"%q"', '"%t"', '"%x"', '"%%"', '"%[2]v %[1]v"', '"%e"', '"%-4s|"', '"%+d"', '"%b"', '"%g"', '"%z"', '"%*d"']
JSONS = ['"{\\"a\\":[1,2,null]}"', '"[1,\\"x\\",true]"', '"1.50"', '"nul"', '"{}"', '"[]"', '"\\"t\\""']
DATES = ['"2024-02-29T23:59:59Z"', '"2017-11-22T00:00:00+01:00"', '"2024-13-01T00:00:00Z"', '"today"']
DURATIONS = ['"1h"', '"-90m"', '"1.5s"', '"10"', '"24h30m"']
DATE_FORMATS = ['"YYYY-MM-DD"', '"DD MMM YYYY hh:mm ZZZ"', '"EEEE, h AA"', '"\'at\' HH:mm:ss"', '"YY"', '"ZZZZZ"', '"Q"']
YAMLS = ['a: 1\nb: [x, yes, ~]\n', '- 1\n- a: 017\n  b: 0x1F\n', 'k: &x {a: 1}\nl: *x\nm:\n  <<: *x\n', '1_000', '2001-12-14t21:59:43.10-05:00', '|\n  two\n  lines\n', '!!str 1', 'a: b: c', 'a: 1\n~: 2\n',
         '{a: .inf, b: .nan}', '"\\x41"', '- !x 1', '---\na\n---\nb\n', '', '# c', '[1, \'2\', "3", .5, +1, 1e3]', '? a', '*x', '>-\n  folded\n  text\n']
CSVS = ['"a,b\\n1,2\\n3,4"', '"a\\n"', '"a,b\\n1"', '""']
TYPES = ['string', 'number', 'bool', 'any', 'list(string)', 'set(number)', 'map(any)', 'list(any)', 'tuple([string, number])', 'object({a = string})', 'object({})', 'thing', 'list', 'set(bool)', 'map(string)']


class Maker:
    def __init__(self, rng):
        self.rng = rng
        self.bound = []
        # What is not known yet has its own rules in each function; in job files it only follows an error. So these values keep to cases
        # without calls and comparisons.
        self.unknowns = rng.random() < 0.1

    def pick(self, items):
        return self.rng.choice(items)

    def variable(self, names):
        return self.pick([name for name in names if self.unknowns or not name.startswith('unk')])

    def chance(self, percent):
        return self.rng.random() * 100 < percent

    # An expression of about the wanted kind.
    def expression(self, depth, kind='x'):
        if self.chance(6):
            kind = 'x'
        if depth <= 0:
            return self.leaf(kind)
        if kind == 'x':
            kind = self.pick('snblmbnsx')
        choice = self.rng.random()
        if choice < 0.16:
            return self.leaf(kind)
        if choice < 0.30 and not self.unknowns:
            return self.call(depth, kind)
        if choice < 0.38:
            return f'{self.expression(depth - 1, "b")} ? {self.expression(depth - 1, kind)} : {self.expression(depth - 1, kind)}'
        if choice < 0.42:
            return f'({self.expression(depth - 1, kind)})'
        if choice < 0.50:
            return self.access(depth)
        if kind == 's':
            return self.template(depth)
        if kind == 'n':
            if self.chance(15):
                return '-' + self.expression(depth - 1, 'n')
            return f'{self.expression(depth - 1, "n")} {self.pick(BINARY[:5])} {self.expression(depth - 1, "n")}'
        if kind == 'b':
            if self.chance(15):
                return '!' + self.expression(depth - 1, 'b')
            operator = self.pick(BINARY[7:] if self.unknowns else BINARY[5:])
            inner = 'b' if operator in ('&&', '||') else 'n' if operator[0] in '<>' else self.pick('snblm')
            return f'{self.expression(depth - 1, inner)} {operator} {self.expression(depth - 1, inner)}'
        if kind == 'l':
            return self.for_expression(depth, '[', ']') if self.chance(40) else self.tuple(depth)
        if kind == 'm':
            return self.for_expression(depth, '{', '}') if self.chance(40) else self.object(depth)
        return f'{self.expression(depth - 1)} {self.pick(BINARY[:4])} {self.expression(depth - 1)}'

    def leaf(self, kind):
        if self.bound and self.chance(35):
            return self.pick(self.bound)
        if kind == 's':
            return self.variable(STRINGS + ['s', 's', 's', 'nuls', 'unks'])
        if kind == 'n':
            return self.pick(NUMBERS + ['n', 'half'])
        if kind == 'b':
            return self.pick(['true', 'false', 't'])
        if kind == 'l':
            return self.variable(LISTS + ['[]'])
        if kind == 'm':
            return self.variable(MAPS + ['{}'])
        return self.variable(VARIABLES + ['null', 'true', '1', '"a"'])

    def call(self, depth, kind):
        name = self.pick(list(FUNCTIONS))
        arguments = []
        kinds = FUNCTIONS[name]
        more = kinds.endswith('*')
        kinds = list(kinds.rstrip('*'))
        if more:
            kinds += [kinds[-1]] * self.rng.randrange(3)
        if self.chance(4):
            kinds.append('x')
        if self.chance(4) and kinds:
            kinds.pop()
        special = {'t': TYPES, 'f': FORMATS, 'j': JSONS, 'd': DATES, 'D': DATE_FORMATS, 'c': CSVS, 'y': [json.dumps(text) for text in YAMLS]}
        for one in kinds:
            if one in special:
                arguments.append(self.pick(special[one]))
            elif name == 'timeadd' and one == 's':
                arguments.append(self.pick(DURATIONS))
            elif one == 'n' and name not in ('abs', 'ceil', 'floor', 'max', 'min', 'signum'):
                arguments.append(self.pick(['0', '1', '2', '3', '-1', '10', '16', '2.5', '"2"', 'n', 'nul']))
            else:
                arguments.append(self.expression(depth - 1, one))
        if more and self.chance(10):
            arguments[-1:] = [self.expression(depth - 1, 'l') + '...']
        return f'{name}({", ".join(arguments)})'

    def access(self, depth):
        base = self.variable(VARIABLES) if self.chance(80) else f'({self.expression(depth - 1, self.pick("lm"))})'
        for _ in range(self.rng.randrange(1, 3)):
            base += self.pick(['.a', '.id', '.k', '.0', '.1', '[0]', '[1]', '["k"]', '["a"]', '[n]', '[s]', '[*]', '.*', '[-1]', '.c', '.b', '[true]', '[nul]', '.*.id', '[*].id', '.0.1', '[0].id', '.nosuch', '["0"]', '[1.5]'])
        return base

    def tuple(self, depth):
        items = [self.expression(depth - 1) for _ in range(self.rng.randrange(4))]
        end = ',' if items and self.chance(20) else ''
        newline = self.pick(['', '', '\n'])
        return f'[{newline}{f", {newline}".join(items)}{end}{newline}]'

    def object(self, depth):
        items = []
        for _ in range(self.rng.randrange(4)):
            key = self.pick(['a', 'b', 'k', '"q"', '(s)', '"${s}x"', 'n', '1', 'true', 'null', '(nul)', 'a.b', '(list)', f'({self.expression(depth - 1, "s")})'])
            items.append(f'{key} {self.pick("=:")} {self.expression(depth - 1)}')
        return '{' + self.pick([', ', '\n', ',\n']).join(items) + '}'

    def for_expression(self, depth, opening, closing):
        names = self.pick([['k', 'v'], ['v'], ['i', 'item'], ['v', 'v']])
        collection = self.expression(depth - 1, self.pick('lm'))
        before = list(self.bound)
        self.bound += names
        value = self.expression(depth - 1)
        condition = f' if {self.expression(depth - 1, "b")}' if self.chance(25) else ''
        key = ''
        group = ''
        if opening == '{':
            key = f'{self.expression(depth - 1, "s") if self.chance(60) else self.pick(names)} => '
            group = '...' if self.chance(30) else ''
        self.bound = before
        return f'{opening}for {", ".join(names)} in {collection} : {key}{value}{group}{condition}{closing}'

    # The inside of a template.
    def parts(self, depth, heredoc=False):
        out = ''
        for _ in range(self.rng.randrange(4)):
            left = self.pick(['', '', '~'])
            right = self.pick(['', '', '~'])
            choice = self.rng.random()
            if choice < 0.35:
                out += self.pick(['a', ' b ', '$', '%', '$${', '%%{', 'é', ' ', '{', '}'] + (['\n', '\n  ', '    x\n', '\t'] if heredoc else ['\\n', '\\t']))
            elif choice < 0.72:
                out += '${' + left + ' ' + self.expression(depth - 1, self.pick('snbx')) + ' ' + right + '}'
            elif choice < 0.87:
                out += '%{' + left + ' if ' + self.expression(depth - 1, 'b') + ' ' + right + '}' + self.parts(depth - 1, heredoc)
                if self.chance(50):
                    out += '%{' + left + ' else ' + right + '}' + self.parts(depth - 1, heredoc)
                out += '%{ endif ' + right + '}'
            else:
                self.bound.append('v')
                out += '%{' + left + ' for v in ' + self.expression(depth - 1, 'l') + ' ' + right + '}' + self.parts(depth - 1, heredoc) + '%{' + left + ' endfor }'
                self.bound.pop()
        return out

    def template(self, depth):
        return '"' + self.parts(depth) + '"'

    def heredoc(self, depth):
        lines = self.parts(depth, True).split('\n')
        indent = self.pick(['', '  ', '    ', '\t'])
        return f'<<{self.pick(["", "-"])}EOT\n' + '\n'.join(indent + line for line in lines) + f'\n{self.pick(["", "  "])}EOT\n'

    def value(self, depth, inside_dynamic):
        if inside_dynamic and self.chance(50):
            return self.pick([f'{inside_dynamic}.value', f'{inside_dynamic}.key', f'"x${{{inside_dynamic}.key}}"', f'{inside_dynamic}.value.id', f'{inside_dynamic}.nosuch'])
        return self.heredoc(2).rstrip('\n') if self.chance(15) else self.expression(self.rng.randrange(3))

    def body(self, depth, indent='', inside_dynamic=''):
        out = ''
        names = ['a', 'b', 'count', 'must', 'other', 'coun']
        for name in self.rng.sample(names[:4], self.rng.randrange(3)) + (['must'] if self.chance(70) else []) + ([self.pick(names)] if self.chance(5) else []):
            out += f'{indent}{name}{self.pick([" = ", "=", "  =  "])}{self.value(depth, inside_dynamic)}{self.pick(["", "", "", " # c", " // c", " /* c */"])}\n'
        if depth <= 0:
            return out
        for _ in range(self.rng.randrange(3)):
            if self.chance(30):
                out += self.dynamic(depth, indent)
                continue
            header = self.pick(['plain', 'plain', 'named "x"', 'named y', 'twice "x" "y"', 'twice x "y"', 'named', 'plain "z"', 'twice "x"', 'plian', 'named "${s}"'])
            if self.chance(15):
                out += f'{indent}{header} {{ {self.pick(["", "must = 1", "a = 1", "a = 1, must = 2", "must = list"])} }}\n'
            else:
                out += f'{indent}{header} {{\n{self.body(depth - 1, indent + "  ", inside_dynamic)}{indent}}}\n'
        return out

    def dynamic(self, depth, indent):
        kind = self.pick(['plain', 'named', 'twice', 'nosuch'])
        iterator = kind
        out = f'{indent}dynamic "{kind}" {{\n'
        out += f'{indent}  for_each = {self.pick(["list", "map", "objs", "set", "none", "n", "nul", "tup", "[1, 2]", "{x = 1}"])}\n'
        if self.chance(25):
            iterator = self.pick(['it', 'each', 'list'])
            out += f'{indent}  iterator = {iterator}\n'
        labels = {'named': 1, 'twice': 2}.get(kind, 0)
        if self.chance(8):
            labels += 1
        if labels:
            out += f'{indent}  labels = [{", ".join(self.pick([f"{iterator}.key", f"{iterator}.value", chr(34) + "l" + chr(34), "n", "nul", "list"]) for _ in range(labels))}]\n'
        if self.chance(95):
            out += f'{indent}  content {{\n{self.body(depth - 1, indent + "    ", iterator)}{indent}  }}\n'
        return out + f'{indent}}}\n'

    def json_value(self, depth):
        choice = self.rng.random()
        if choice < 0.35:
            return self.pick(['a', '${s}', '${list}', '${n + 1}', 'x${n}y', '$${s}', '%{ if t }y%{ endif }', '${nosuch}', '${', 'é', '', '${obj.a}'])
        if choice < 0.6 or depth <= 0:
            return self.pick([1, 0, -2, 1.5, True, False, None, 12345678901234567890])
        if choice < 0.8:
            return [self.json_value(depth - 1) for _ in range(self.rng.randrange(3))]
        return {self.pick(['k', 'l', '${s}', '//', '']): self.json_value(depth - 1) for _ in range(self.rng.randrange(3))}

    def json_body(self, depth):
        out = {}
        if self.chance(75):
            out['must'] = self.json_value(2)
        for name in self.rng.sample(['a', 'b', 'count', '//', 'coun'], self.rng.randrange(3)):
            out[name] = self.json_value(2)
        if depth > 0:
            if self.chance(50):
                out['plain'] = self.pick([None, [], self.json_body(depth - 1), [self.json_body(depth - 1), self.json_body(depth - 1)], 'x', [1]])
            if self.chance(40):
                out['named'] = self.pick([{'x': self.json_body(depth - 1)}, [{'x': self.json_body(depth - 1)}, {'y': [self.json_body(depth - 1)]}], {}, {'x': 1}, [2]])
            if self.chance(30):
                out['twice'] = {'x': self.pick([{'y': self.json_body(depth - 1)}, {}, None])}
            if self.chance(25):
                out['dynamic'] = {'plain': {'for_each': self.pick(['${list}', ['p', 'q'], {'k': 1}, 1]), 'content': self.json_body(0) | {'a': self.pick(['${plain.key}', '${plain.value}'])}}}
        return out

    def damage(self, text):
        if not text:
            return text
        at = self.rng.randrange(len(text))
        choice = self.rng.random()
        if choice < 0.35:
            return text[:at] + text[at + 1:]
        if choice < 0.7:
            return text[:at] + self.pick(['"', '{', '}', '(', ')', '[', ']', ',', '\n', '.', '${', '%{', '=', ':', '?', '...', '&', "'", '`', ';', '~', '@', '<<E\n', '#', '/*', '\\', '\u201c', '**', '*', ' for ', '::', '=>', '\x00', '\r\n', '\ufeff', '!', '$', '1.', '\t']) + text[at:]
        if choice < 0.85:
            other = self.rng.randrange(len(text))
            return text[:min(at, other)] + text[max(at, other):]
        return text[:at]


def cases(seed, count):
    rng = random.Random(seed)
    out = []
    while len(out) < count:
        maker = Maker(rng)
        kind = rng.choices(['expression', 'template', 'body', 'json'], [50, 10, 28, 12])[0]
        depth = rng.randrange(1, 5)
        if kind == 'expression':
            text = maker.heredoc(3) if rng.random() < 0.06 else maker.expression(depth)
        elif kind == 'template':
            text = maker.parts(depth, True)
        elif kind == 'body':
            text = maker.body(rng.randrange(0, 3))
        else:
            text = json.dumps(maker.json_body(2), ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 1]))
        if rng.random() < 0.2:
            text = maker.damage(text)
        if len(text) < 4000:
            out.append({'kind': kind, 'text': text})
    return out
