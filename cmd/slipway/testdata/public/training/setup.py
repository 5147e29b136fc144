import pathlib
import sys
import tarfile

assert sys.argv[1:] == ["sdist"]
pathlib.Path("dist").mkdir()
name = "training_toolkit-3.1.tar.gz"
files = ["setup.py", "toolkit/__init__.py"]
with tarfile.open("dist/" + name, "w:gz") as t:
    for f in files:
        t.add(f)
print(name, "has", len(files), "files")
