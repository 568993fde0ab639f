"""Images and scanners in the configuration: what it becomes, and what is refused with its place."""

import pytest

from fairway import catalog
from fairway.config import ConfigError, Known, load_pipeline

KNOWN = Known(registries=catalog.settings_by_kind("registry"))
HEAD = "service: shop\nrelease:\n"


def read(tmp_path, text):
    path = tmp_path / "fairway.yaml"
    path.write_text(HEAD + text)
    return load_pipeline(path, KNOWN)


def problems(tmp_path, text):
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    return "\n".join(str(one) for one in error.value.problems)


def test_an_image_is_a_task_behind_all_builds_with_what_was_written(tmp_path):
    text = (
        "  build: {a: {run: make}, b: {run: make}}\n"
        "  images: {shop: {platforms: [linux/arm64, linux/amd64], budget: 1.5MB, arguments: {BASE: 1.10}}}\n"
    )
    image = read(tmp_path, text).tasks[-1]
    assert (image.name, image.stage, image.needs) == ("shop", "build", ("a", "b"))
    assert image.image.platforms == ("linux/arm64", "linux/amd64")
    assert (image.image.budget, image.image.arguments) == (1_500_000, (("BASE", "1.10"),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  images: {shop: {budget: large}}\n", "'large' is no size"),
        ("  images: {shop: {platforms: [arm]}}\n", '"arm" is no platform'),
        ("  images: {shop: {file: ../Containerfile}}\n", "is no pattern of files in the checkout"),
        ("  images: {shop: {file: --squash}}\n", "'--squash' is no pattern of files in the checkout"),
        ("  images: {shop: {context: --squash}}\n", "'--squash' is no pattern of files in the checkout"),
        ("  images: {shop: {context: '-'}}\n", "'-' is no pattern of files in the checkout"),
        (
            "  security: {code: {scan: {tool: bandit, paths: [src, --configfile=x]}}}\n",
            "'--configfile=x' is no pattern of files in the checkout",
        ),
        ("  images: {shop: {needs: [nothing]}}\n", "task 'shop' needs 'nothing', which is no task"),
        (
            "  publish: {o: {kind: oci, repository: r.example.org/a, images: [b]}}\n",
            "the image 'b', which is not built",
        ),
        ("  publish: {o: {kind: oci, repository: r.example.org/a, files: b}}\n", "takes images, not files"),
        ("  publish: {o: {kind: oci, repository: r.example.org/a}}\n", "images is missing"),
        ("  publish: {o: {kind: npm, images: [b]}}\n", "takes files, not images"),
        ("  publish: {o: {kind: oci, repository: shop, images: [b]}}\n", "'shop' is no name of an image"),
        ("  publish: {o: {kind: oci, repository: r.example.org/a:1, images: [b]}}\n", "names a tag or a digest"),
        (
            "  publish: {o: {kind: oci, repository: r.example.org/a, tag: latest, images: [b]}}\n",
            "would be the same for every release",
        ),
        ("  security: {code: {scan: bandits}}\n", "bandits"),
        ("  security: {code: {}}\n", "run is missing"),
        ("  security: {code: {run: scan, scan: {block: error}}}\n", "report is missing"),
        ("  security: {code: {scan: {tool: bandit, image: shop}}}\n", "bandit looks at no images"),
        ("  security: {code: {scan: {tool: uv audit, paths: [a]}}}\n", "looks at its lock file, not at paths"),
        ("  security: {code: {scan: {tool: trivy, paths: [a, b]}}}\n", "trivy looks at one path, not at 2"),
        (
            "  security: {code: {run: x, scan: {tool: bandit, paths: [a]}}}\n",
            "is for a scanner that is called by its name",
        ),
        ("  security: {code: {scan: {tool: trivy, image: shop}}}\n", "task 'code' needs 'shop', which is no task"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(tmp_path, text, said):
    assert said in problems(tmp_path, text)


def test_one_policy_is_for_all_scans_and_each_may_have_its_own_level(tmp_path):
    waiver = "{rule: B1, until: 2027-01-31, reason: a}"
    own = "{rule: B2, until: 2027-01-31, reason: b}"
    text = (
        f"  findings: {{block: error, waivers: [{waiver}]}}\n"
        f"  security: {{one: {{scan: bandit}}, two: {{scan: {{tool: ruff, block: note, waivers: [{own}]}}}}}}\n"
    )
    one, two = read(tmp_path, text).tasks
    assert (one.scan.block, [each.rule for each in one.scan.waivers], one.scan.form) == ("error", ["B1"], "bandit")
    assert (two.scan.block, [each.rule for each in two.scan.waivers], two.scan.form) == ("note", ["B2", "B1"], "ruff")


def test_a_scan_of_an_image_waits_for_it_and_finds_it_in_its_checkout(tmp_path):
    text = "  images: {shop: {}}\n  security: {scan: {scan: {tool: trivy, image: shop}}}\n"
    task = next(one for one in read(tmp_path, text).tasks if one.name == "scan")
    assert task.needs == ("shop",)
    assert task.cached is False
    assert "--input images/shop." in task.steps[0]
    assert task.scan.image == "shop"
