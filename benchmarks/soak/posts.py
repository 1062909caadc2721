"""Load a hundred thousand mangled posts and check that each is a post or a reported problem and that nothing raises.

    python benchmarks/soak/posts.py --files 100000 --processes 2 --seed 1

The long form of `tests/posts/test_any_file.py`. The files are real posts of a dozen tools with bytes removed, doubled and
replaced. They are loaded in publications of 500, then again with the cache and without it, with the same result. Prints
one line of counts. An error names the seed of its folder; `--seed SEED --files 500` repeats it.
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

FOLDER_SIZE = 500
TREE_CHECK_INTERVAL = 20  # one post in 20 is parsed as browsers do, which is slower than all other checks
SLOW_SECONDS = 2.0  # seconds of CPU for a folder: 4 ms a file on average


def check_folder(seed: int) -> Counter[str]:
    """Load a folder of mangled posts, again with the cache and again without; return the counts of posts and problems."""
    rng = random.Random(seed)
    files = {f"2023-06-07-{number}{rng.choice(SUFFIXES)}": mangle(rng) for number in range(FOLDER_SIZE)}
    with TemporaryDirectory() as folder:
        root = write_publication(Path(folder), files)
        cache = PostCache(BuildCache(root / "build.db"), "a program", lambda _path: "0 0 0")
        cpu_start = time.process_time()
        library = load_posts(root, settings(), NOW, cache)
        cpu_seconds = time.process_time() - cpu_start
        check_counts(library)
        if library.files != len(files):
            raise AssertionError(f"{len(files)} files were written, but {library.files} counted")
        for number, post in enumerate(library.posts):
            check_post(post)
            if number % TREE_CHECK_INTERVAL == 0:
                check_tree(post)
        save_ids(root, library)
        cache.save(library.new_entries, frozenset(post.path for post in library.posts), NOW.timestamp())
        for second_library in (load_posts(root, settings(), NOW, cache), load_posts(root, settings(), NOW)):
            if second_library.new_ids is not None or second_library.posts != library.posts:
                raise AssertionError("the second load returned different posts")
            if library.problems_again not in {None, second_library.problems}:
                raise AssertionError("the second load returned different problems")
    codes = Counter(f"{problem.severity}:{problem.code}" for problem in library.problems)
    return codes + Counter(files=len(files), posts=len(library.posts), slow=int(cpu_seconds > SLOW_SECONDS))


def check_seed(seed: int) -> Counter[str]:
    """Call `check_folder`; raise errors with their seed."""
    try:
        return check_folder(seed)
    except Exception as error:
        raise RuntimeError(f"--seed {seed} --files {FOLDER_SIZE}: {type(error).__name__}: {error}") from error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + max(1, options.files // FOLDER_SIZE))
    start = time.monotonic()
    totals: Counter[str] = Counter()
    with ProcessPoolExecutor(options.processes) as processes:
        for number, counts in enumerate(processes.map(check_seed, seeds), 1):
            totals += counts
            if number % 20 == 0:
                print(
                    f"{totals['files']} files, {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True
                )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"{dict(totals)} in {time.monotonic() - start:.0f} s, {peak} MiB peak memory of a process")


if __name__ == "__main__":
    main()
