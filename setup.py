"""What Beam workers and containers install: the packages without their locked environment."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
REQUIREMENTS = [
    line.split(" #")[0].strip()
    for line in (HERE / "requirements" / "run.in").read_text(encoding="utf-8").splitlines()
    if line.strip() and not line.startswith("#")
]

setup(
    name="swara",
    version="0.1.0",
    description="Trains small neural instruments from recordings and ships them to the browser.",
    license="Apache-2.0",
    python_requires=">=3.10,<3.11",
    packages=find_packages(include=["components*", "data*", "models*", "pipeline*"]),
    package_data={"": ["*.css", "*.html", "*.js", "*.json", "*.pbtxt"]},
    py_modules=["local_runner"],
    install_requires=REQUIREMENTS,
)
