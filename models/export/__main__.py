"""Command line: `python -m export <checkpoint> <bundle> --size 1024 --name … --license … --source …`."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from .bundle import SAMPLE_SIZES, BundleOptions
from .errors import ExportError, in_a_line
from .export_bundle import export_bundle
from .precision import CHOICES, PROFILES, Precision
from .quiet import quiet_libraries


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m export",
        description="Turns a PixArt-Σ or PixArt-α checkpoint in Hugging Face's folder layout into a bundle.",
        epilog="example: python -m export PixArt-Sigma-XL-2-1024-MS bundles/sigma-1024 --size 1024 "
        "--name sigma-1024 --license openrail++ --source https://huggingface.co/PixArt-alpha",
    )
    parser.add_argument(
        "checkpoint", type=Path, help="folder with " + ", ".join(("model_index.json", "transformer/ …"))
    )
    parser.add_argument("bundle", type=Path, help="folder to write; must be empty or not exist yet")
    parser.add_argument("--size", dest="sizes", action="append", required=True, choices=SAMPLE_SIZES, help="repeatable")
    parser.add_argument("--name", required=True)
    parser.add_argument("--license", required=True, help="SPDX identifier, or the licence's name and URL")
    parser.add_argument("--source", required=True, help="where the weights come from")
    parser.add_argument("--description", help="one sentence; default: the name")
    parser.add_argument("--max-tokens", type=int, help="caption length; default: 300, with PixArt-α 120")
    parser.add_argument(
        "--clean-caption",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="clean captions like the reference; default: yes",
    )
    parser.add_argument("--steps", type=int, help="default for jobs; default: 20, with LCM 4")
    parser.add_argument("--guidance", type=float, help="default for jobs; default: 4.5, with LCM 1 (none)")
    parser.add_argument(
        "--transformer-from", type=Path, metavar="FOLDER", help="use transformer/ from this folder of another download"
    )
    parser.add_argument("--for", dest="profile", choices=PROFILES, help="how weights are stored; default: all as fp32")
    for network, kinds in CHOICES.items():
        option = "--" + network.replace("_", "-")
        parser.add_argument(option, choices=kinds, help="how these weights are stored; default: set by --for")
    return parser.parse_args(arguments)


def precision_of(options: argparse.Namespace) -> Precision:
    """The profile's kinds of weights, replaced for each network that has its own option."""
    asked = {network: getattr(options, network) for network in CHOICES}
    profile = PROFILES[options.profile] if options.profile else Precision()
    return replace(profile, **{network: kind for network, kind in asked.items() if kind})


def main(arguments: list[str]) -> int:
    """Runs the command; returns its exit code: 0 done, 1 the checkpoint or target is wrong, 130 stopped."""
    options = parse_arguments(arguments)
    quiet_libraries()
    try:
        export_bundle(
            options.checkpoint,
            options.bundle,
            BundleOptions(
                name=options.name,
                description=options.description or options.name,
                license=options.license,
                source=options.source,
                sizes=tuple(dict.fromkeys(options.sizes)),
                max_tokens=options.max_tokens,
                clean_caption=options.clean_caption,
                steps=options.steps,
                guidance=options.guidance,
            ),
            precision=precision_of(options),
            transformer_from=options.transformer_from,
        )
    except ExportError as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"export: {in_a_line(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("export: stopped; nothing was left behind.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
