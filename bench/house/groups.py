"""groups.py -- bench/groups.ini: what is measured together, in the same rounds.

    [NAME]
    title = ...            in words, for the report
    compare = sum --elements 1000000
                           one `sheaf compare`; or
    programs = A B         the rows of these programs of bench/ (peers.py is one) ...
    rows = REGEX           ... whose names match
    sweep = --elements 100 1000 10000
                           compare once for each value; rows are then called "ROW @ VALUE"
    rounds = 15            at most; 6 at least
    quick = --elements 1000000 | sweep values
                           what --quick puts in place of what compare has (arguments appended, so the last counts)
    peers = no             without peers
    min_time = 0.02        programs: seconds that a row takes in each round
    environment = A=B ...  programs: what their environment has besides
"""
import configparser
import dataclasses
import pathlib
import shlex

FILE = pathlib.Path(__file__).parent.parent / "groups.ini"


@dataclasses.dataclass
class Group:
    name: str
    title: str
    compare: list
    programs: list
    rows: str
    sweep_option: str
    sweep: list
    rounds: int
    seconds: float
    quick: list
    quick_sweep: list
    skip_quick: bool
    peers: bool
    min_time: float
    environment: dict


def load(path=FILE):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path, encoding="utf-8")
    groups = []
    for name in parser.sections():
        section = parser[name]
        sweep = section.get("sweep", "").split()
        groups.append(Group(
            name=name, title=section["title"], compare=shlex.split(section.get("compare", "")),
            programs=section.get("programs", "").split(), rows=section.get("rows", "."),
            sweep_option=sweep[0] if sweep else "", sweep=sweep[1:],
            rounds=section.getint("rounds", 15), seconds=section.getfloat("seconds", 60),
            quick=shlex.split(section.get("quick", "")) if section.get("quick") != "no" else [],
            quick_sweep=section.get("quick_sweep", "").split(),
            skip_quick=section.get("quick") == "no", peers=section.getboolean("peers", True),
            min_time=section.getfloat("min_time", 0.02),
            environment=dict(pair.split("=", 1) for pair in section.get("environment", "").split())))
        if bool(groups[-1].compare) == bool(groups[-1].programs):
            raise SystemExit(f"{path}: [{name}] needs either compare or programs")
    return groups
