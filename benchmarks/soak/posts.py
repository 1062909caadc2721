"""A hundred thousand mangled posts: each is a post or a named problem, the counts add up, and nothing raises.

    python benchmarks/soak/posts.py --files 100000 --processes 2 --seed 1

The long form of `tests/posts/test_any_file.py`. Files are real posts of a dozen tools with bytes gone, doubled and
replaced; they are read in publications of 500, twice, and the second reading has to give the same. Prints one line of
numbers; fails with the seed of the folder that was wrong, which `--seed` and `--files 500` read again.
"""

import argparse
import random
import resource
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from ketapress.posts.cache.post_cache import PostCache
from ketapress.posts.loader import load_posts
from ketapress.system.build_cache import BuildCache
from support.factories import NOW, settings
from support.fuzz_posts import SUFFIXES, check_counts, check_post, check_tree, mangle
from support.posts_folder import save_ids, write_publication

IN_A_FOLDER = 500
LOOKED_AT_CLOSELY = (
    20  # one post of so many is parsed as a browser does it, which takes longer than all the rest
)
SLOW = 2.0  # seconds of CPU for a folder's slowest reading, by file on average 4 ms


def soaked(seed: int) -> Counter[str]:
    """One folder of mangled posts, read, and read again with the cache and without it; counts of what became of them."""
    rng = random.Random(seed)
    files = {f"2023-06-07-{number}{rng.choice(SUFFIXES)}": mangle(rng) for number in range(IN_A_FOLDER)}
    with TemporaryDirectory() as folder:
        root = write_publication(Path(folder), files)
        cache = PostCache(BuildCache(root / "build.db"), "a program", lambda _path: "0 0 0")
        before = time.process_time()
        library = load_posts(root, settings(), NOW, cache)
        took = time.process_time() - before
        check_counts(library)
        if library.files != len(files):
            raise AssertionError(f"{len(files)} files are {library.files} in the counts")
        for number, post in enumerate(library.posts):
            check_post(post)
            if number % LOOKED_AT_CLOSELY == 0:
                check_tree(post)
        save_ids(root, library)
        cache.save(library.new_entries, frozenset(post.path for post in library.posts), NOW.timestamp())
        for again in (load_posts(root, settings(), NOW, cache), load_posts(root, settings(), NOW)):
            if again.new_ids is not None or again.posts != library.posts:
                raise AssertionError("a second reading gives something else")
            if library.problems_again not in {None, again.problems}:
                raise AssertionError("a second reading reports something else")
    codes = Counter(f"{problem.severity}:{problem.code}" for problem in library.problems)
    return codes + Counter(files=len(files), posts=len(library.posts), slow=int(took > SLOW))


def named(seed: int) -> Counter[str]:
    """The same; what goes wrong says with which seed."""
    try:
        return soaked(seed)
    except Exception as error:
        raise RuntimeError(f"--seed {seed} --files {IN_A_FOLDER}: {type(error).__name__}: {error}") from error


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--files", type=int, default=100_000)
    words.add_argument("--processes", type=int, default=2)
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args()
    seeds = range(asked.seed, asked.seed + max(1, asked.files // IN_A_FOLDER))
    began = time.monotonic()
    total: Counter[str] = Counter()
    with ProcessPoolExecutor(asked.processes) as processes:
        for number, counts in enumerate(processes.map(named, seeds), 1):
            total += counts
            if number % 20 == 0:
                print(
                    f"{total['files']} files, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True
                )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"{dict(total)} in {time.monotonic() - began:.0f} s, {peak} MiB at most in a process")


if __name__ == "__main__":
    main()
