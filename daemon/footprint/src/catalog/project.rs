//! The project in the working directory.

use super::{
    claude::SETTINGS,
    place::{At, Group, Means, Place, Platforms, Reader, Remedy, rule},
};
use crate::scan::word::Dialect;

const BASE: Place = Place {
    id: "",
    title: "",
    group: Group::Project,
    at: At::Project(&[]),
    reader: Reader::Json(&[rule("**", Means::Variable)]),
    platforms: Platforms::ALL,
    power: "works for whoever gets a copy of the project",
    remedy: Remedy::EditStatement,
    cheap: false,
    seen: true,
};

/// The rows.
pub(super) const PLACES: &[Place] = &[
    Place {
        id: "project.claude-settings",
        title: "Claude Code's settings of the project",
        at: At::Project(&[".claude/settings*.json", ".mcp.json", ".cursor/mcp.json", ".vscode/mcp.json"]),
        reader: Reader::Json(SETTINGS),
        remedy: Remedy::EditJson,
        power: "is used by every Claude Code that starts in the project, before any variable",
        cheap: true,
        ..BASE
    },
    Place {
        id: "project.dotenv",
        title: ".env files of the project",
        at: At::Project(&[
            ".env",
            ".env.*",
            "*.env",
            ".dev.vars",
            ".flaskenv",
            ".secrets",
            "secrets.env",
            "env.list",
            ".streamlit/secrets.toml",
            "docker/.env",
            "config/.env",
        ]),
        reader: Reader::Assignments(Dialect::Dotenv),
        cheap: true,
        ..BASE
    },
    // Two levels, as `apps/web` of a repository of many; not cheap, for there may be thousands of them.
    Place {
        id: "project.claude-settings-below",
        title: "Claude Code's settings of a part of the project",
        at: At::Project(&[
            "*/.claude/settings*.json",
            "*/.mcp.json",
            "*/*/.claude/settings*.json",
            "*/*/.mcp.json",
        ]),
        reader: Reader::Json(SETTINGS),
        remedy: Remedy::EditJson,
        power: "is used by every Claude Code that starts in that part of the project, before any variable",
        ..BASE
    },
    Place {
        id: "project.dotenv-below",
        title: ".env files of a part of the project",
        at: At::Project(&[
            "*/.env",
            "*/.env.*",
            "*/.envrc",
            "*/.dev.vars",
            "*/*/.env",
            "*/*/.env.*",
            "*/*/.envrc",
            "*/*/.dev.vars",
        ]),
        reader: Reader::Assignments(Dialect::Dotenv),
        ..BASE
    },
    Place {
        id: "project.direnv",
        title: "direnv and shell scripts of the project",
        at: At::Project(&[
            ".envrc",
            ".envrc.*",
            "*.sh",
            "scripts/*.sh",
            "bin/*.sh",
            "Makefile",
            "makefile",
            "GNUmakefile",
            "justfile",
            "Justfile",
        ]),
        reader: Reader::Assignments(Dialect::Posix),
        ..BASE
    },
    Place {
        id: "project.containers",
        title: "container definitions of the project",
        at: At::Project(&[
            "Dockerfile*",
            "Containerfile*",
            "*.Dockerfile",
            "docker/Dockerfile*",
            ".devcontainer/Dockerfile*",
        ]),
        reader: Reader::Assignments(Dialect::Posix),
        ..BASE
    },
    Place {
        id: "project.compose",
        title: "compose files and charts of the project",
        at: At::Project(&[
            "docker-compose*.y*ml",
            "compose*.y*ml",
            "docker/*compose*.y*ml",
            "k8s/*.y*ml",
            "kubernetes/*.y*ml",
            "deploy/*.y*ml",
            "values*.y*ml",
            "helm/values*.y*ml",
        ]),
        reader: Reader::Assignments(Dialect::Yaml),
        ..BASE
    },
    Place {
        id: "project.ci",
        title: "CI definitions of the project",
        at: At::Project(&[
            ".github/workflows/*.y*ml",
            ".github/actions/*/action.y*ml",
            ".gitlab-ci*.yml",
            ".gitlab/*.yml",
            ".circleci/*.yml",
            "bitbucket-pipelines.yml",
            "azure-pipelines*.yml",
            ".travis.yml",
            ".drone.yml",
            ".woodpecker*.yml",
            ".woodpecker/*.yml",
            "appveyor.yml",
            "cloudbuild*.y*ml",
            "buildspec*.yml",
            ".buildkite/*.yml",
            "render.yaml",
            "app.yaml",
            "serverless.yml",
            "Taskfile.y*ml",
            ".forgejo/workflows/*.y*ml",
            ".gitea/workflows/*.y*ml",
            "amplify.yml",
            ".pre-commit-config.yaml",
            ".aider*.yml",
        ]),
        reader: Reader::Assignments(Dialect::Yaml),
        ..BASE
    },
    Place {
        id: "project.tools-json",
        title: "tasks and launch configurations of the project",
        at: At::Project(&[
            ".vscode/*.json",
            ".devcontainer/*.json",
            ".devcontainer.json",
            "package.json",
            "vercel.json",
            "local.settings.json",
            "appsettings*.json",
            ".zed/*.json",
        ]),
        remedy: Remedy::EditJson,
        ..BASE
    },
    Place {
        id: "project.tools",
        title: "tool configuration of the project",
        at: At::Project(&[
            "Jenkinsfile*",
            "mise*.toml",
            ".mise*.toml",
            "pyproject.toml",
            "tox.ini",
            "pytest.ini",
            "setup.cfg",
            "*.tfvars",
            "netlify.toml",
            "fly.toml",
            "wrangler.toml",
            ".cargo/config.toml",
            "Procfile",
            ".npmrc",
            "config/*.exs",
        ]),
        reader: Reader::Assignments(Dialect::Toml),
        ..BASE
    },
    Place {
        id: "project.records",
        title: "notebooks, run configurations and chat logs of the project",
        at: At::Project(&[
            ".idea/*.xml",
            ".idea/runConfigurations/*.xml",
            ".run/*.xml",
            "*.ipynb",
            "notebooks/*.ipynb",
            ".aider.*",
            "*.http",
            "*.rest",
            "CLAUDE*.md",
            ".claude/*.md",
        ]),
        reader: Reader::Text,
        remedy: Remedy::Overwrite,
        ..BASE
    },
    Place {
        id: "project.git",
        title: "git configuration of the project",
        at: At::Project(&[".git/config", ".git/config.worktree"]),
        reader: Reader::Text,
        remedy: Remedy::Overwrite,
        ..BASE
    },
];
