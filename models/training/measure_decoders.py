"""Measures autoencoders on scenes outside training.  python -m training.measure_decoders vae-2 vae-2-shuffle"""

import argparse

from training.run import Run
from training.train_vae import TESTS, evaluate, load_vae


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", help="finished autoencoders; their pictures go to runs/measured-…")
    for name in parser.parse_args().names:
        print(name, evaluate(load_vae(name), Run(f"measured-{name}"), TESTS), flush=True)


if __name__ == "__main__":
    main()
